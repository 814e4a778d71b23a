"""Between partners: who a message is for, and how it gets there and back."""
