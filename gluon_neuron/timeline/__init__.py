"""Where the time of a call goes: measured, traced back to MXNet's operators, shown."""
