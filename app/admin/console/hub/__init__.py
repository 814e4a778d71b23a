"""The page about the hub: who is behind it, who may reach whom, what passed and what it adds up to."""
