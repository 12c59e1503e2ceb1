"""HTTP only: parse, call, answer. `ROUTES` is one list."""
