"""Walks whole model zoos: what compiles of each model, whether it agrees with MXNet, and what stays in MXNet."""
