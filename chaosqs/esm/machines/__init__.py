"""State machines of pollers: `(state, input, now) → result`. No trio, no clock, no chance."""
