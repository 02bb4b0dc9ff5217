"""Reads designs from the files that deploy them, and says what it had to assume."""
