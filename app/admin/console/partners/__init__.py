"""The pages about partners: all of them, the way one comes in, and one with all that travels to and from it."""
