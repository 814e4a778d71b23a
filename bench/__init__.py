"""Benchmarks: what one core does for charging stations, measured beside a raw echo and a plain central system."""
