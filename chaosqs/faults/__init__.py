"""The fault injector: it decides at each injection point which fault is injected."""
