"""Beside each call of a net, the same net compiled: over a corpus of small nets, everything is compared."""
