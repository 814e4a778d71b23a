"""The door for everything stations say, and what it needs to decide in batches."""
