"""Reads designs from the files that deploy them, and says what it had to assume."""

from chaosqs.templates.cloudformation import Imported, read_template

__all__ = ["Imported", "read_template"]
