"""State machines of Lambda: `(state, input, now) → result`. No trio, no clock, no chance."""
