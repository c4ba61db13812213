"""The array language in NumPy: folding, and the reference."""
