"""What is done with records that are made: cleared, priced again, compared, added up for a month."""
