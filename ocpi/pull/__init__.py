"""Partners' lists, read by us."""
