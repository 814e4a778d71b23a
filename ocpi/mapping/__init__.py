"""Domain to wire and back: pure functions, one file per module of OCPI."""
