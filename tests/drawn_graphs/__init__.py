"""Graphs of random wiring, and the ways in which they are used, compared with MXNet."""
