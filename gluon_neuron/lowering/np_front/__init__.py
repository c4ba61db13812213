"""Rules of MXNet's NumPy front end: `_np_*`, `_npi_*` and `_npx_*`."""
