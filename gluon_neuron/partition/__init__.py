"""Which nodes go where, and the reason when a node is not compiled."""
