"""Where a compiled model parts from MXNet: the first region, and in it the first operator."""
