"""Tables and transactions: one file per noun, two doors to write through, no rules."""
