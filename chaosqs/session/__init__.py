"""What pytest and the command line share: which designs to judge, how long, and what came of it."""
