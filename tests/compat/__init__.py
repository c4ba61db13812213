"""The archived packages' names and arguments."""
