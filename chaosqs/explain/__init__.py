"""Why a counterexample happens, how often, and what prevents it."""
