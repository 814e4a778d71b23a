"""How stations are kept in order: their settings, their faults, their card readers."""
