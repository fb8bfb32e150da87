"""Parties: which records of all systems are one firm, for millions at once."""
