"""Lambda: invocations, execution environments, and the runtime of real handlers."""
