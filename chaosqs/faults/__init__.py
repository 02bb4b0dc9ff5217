"""The fault injector: it answers at each injection point what goes wrong."""
