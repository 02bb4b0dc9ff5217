"""Runs a scenario in virtual time: the state machines, the order of things, faults, and the record."""
