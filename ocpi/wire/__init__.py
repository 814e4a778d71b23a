"""The canonical wire: pydantic models of the objects of OCPI 2.2.1; data only."""
