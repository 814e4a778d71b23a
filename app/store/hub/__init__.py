"""What the hub keeps of the parties behind it."""
