"""Many objects at once: read from a table or a JSON list, checked as a whole, and written out again."""
