"""Partners and the hub in the admin API: who they are, what passes, what is owed."""
