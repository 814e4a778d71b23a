"""Voltbridge: an OCPI roaming hub and charge point operator backend."""

__version__ = "0.1.0"
