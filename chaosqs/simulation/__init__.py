"""`simulate(scenario) → History`, with producers and operators."""
