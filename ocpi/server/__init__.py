"""What partners may call: each module once, behind one corridor."""
