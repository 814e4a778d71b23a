"""Prices and records in the admin API: tariffs, quotes, CDRs, settlement."""
