"""Work that must happen after commit: at least once, the newest state, in order per partner."""
