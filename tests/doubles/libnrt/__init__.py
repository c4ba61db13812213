"""A double of libnrt: a C library with the published functions, and the process that computes for it."""
