"""The pages about charging: sessions as they go on, one of them from the plug to the partner, and the records they end in."""
