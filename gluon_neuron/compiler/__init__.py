"""The compiler: partition, lower, compile and pack, one phase after the other; programs for further shapes."""
