"""The pages about tariffs: all of them, and one with its editor, its check, its week and its simulator."""
