"""Use cases: they take a door of the store, change what is stored, and announce it."""
