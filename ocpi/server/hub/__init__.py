"""What only a hub answers: the lists of everybody, and who is behind it."""
