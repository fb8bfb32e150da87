"""Resolving parties: whether records of one firm are found, and others left alone."""
