"""The functions of the array language: their contracts, checks, and what follows from simpler ones."""
