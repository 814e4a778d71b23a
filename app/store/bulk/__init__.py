"""The bulk door: what stations say, many rows in one commit, each database in its own way."""
