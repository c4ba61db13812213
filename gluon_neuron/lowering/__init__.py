"""MXNet operator semantics: one small file per operator family, and the registry of their rules."""
