"""Runs scenarios in which something else than event source mappings brings messages to a function."""
