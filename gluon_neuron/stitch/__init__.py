"""The way out: compiled regions into a new symbol, its metadata, parameters and files."""
