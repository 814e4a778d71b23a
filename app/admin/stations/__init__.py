"""Stations in the admin API: set up, let in, spoken to, and what they did."""
