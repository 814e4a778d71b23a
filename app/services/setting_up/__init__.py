"""Stations that are new, back again or refused: commissioning, settings, the inbox."""
