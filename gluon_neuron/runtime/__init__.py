"""Runs compiled regions: the native operator's library, the engines it opens, and bound sessions."""
