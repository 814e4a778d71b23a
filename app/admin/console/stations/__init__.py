"""The pages about stations: the list, the inbox of strangers, and one station with all that can be told to it."""
