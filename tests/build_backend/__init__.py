"""Tests of how the package is built and installed; nothing here builds or installs anything."""
