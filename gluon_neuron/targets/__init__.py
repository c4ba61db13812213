"""Targets: what each supports, how it compiles, and which payload it makes."""
