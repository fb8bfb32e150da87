"""Prices, through the file that a person writes and the answer that a role sees."""
