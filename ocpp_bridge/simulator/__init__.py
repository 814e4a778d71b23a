"""Charging stations to play against; they know nothing of the server's side."""
