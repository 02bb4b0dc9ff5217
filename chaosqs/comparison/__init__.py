"""Alternatives to an event source mapping, simulated on the same queues and functions."""
