"""State machines without input and output: `(state, input, now) → result`. No trio, no clock, no chance."""
