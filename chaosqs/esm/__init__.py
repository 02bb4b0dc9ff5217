"""Event source mappings: pollers that receive, invoke and delete."""
