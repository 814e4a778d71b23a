"""Several processes on one database: who is there, who has which station, and how they wake each other."""
