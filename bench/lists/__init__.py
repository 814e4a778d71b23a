"""Pages of lists as partners pull them, beside ready bytes and extrawest-ocpi."""
