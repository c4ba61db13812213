"""A typed, read-only view of an MXNet symbol's JSON; needs nothing but the standard library."""
