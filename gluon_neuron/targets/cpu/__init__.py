"""The CPU target, through OpenVINO."""
