"""Draw scenarios, simulate and judge them, shrink what violates an invariant."""
