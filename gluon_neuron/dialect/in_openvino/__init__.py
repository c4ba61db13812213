"""The array language in OpenVINO: the CPU engine's programs."""
