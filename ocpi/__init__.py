"""OCPI, spoken with partners: first the protocol itself, then the rooms that join it to the house."""
