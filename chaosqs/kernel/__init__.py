"""Event queue, virtual clock on trio, random streams, schedules, and the context that carries them."""
