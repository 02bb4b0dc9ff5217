"""Frozen values: designs, scenarios, faults, events, histories, verdicts. No behaviour, no chance, no clock."""
