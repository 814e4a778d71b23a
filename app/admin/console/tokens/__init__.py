"""The page about tokens: whether one would be let in, all of them, and the making of our own."""
