"""Speed, as ratios of minima measured in one run; never part of the tests."""
