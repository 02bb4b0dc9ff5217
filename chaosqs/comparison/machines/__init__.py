"""State machines of streams: `(state, input, now) → result`. No trio, no clock, no chance."""
