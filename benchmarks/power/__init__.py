"""chaosqs-bench: how much the search finds, how fast, and how small. Results are in docs/power.md."""
