"""State machines of queues: `(state, input, now) → result`. No trio, no clock, no chance."""
