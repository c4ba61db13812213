"""What runs an artifact and knows no MXNet: the native library and its callbacks."""
