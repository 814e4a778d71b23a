"""What happens here, told to partners: who hears of it, and how."""
