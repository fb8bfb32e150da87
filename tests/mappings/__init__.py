"""Tests of the mappings: the two laws for every file, and what the laws cannot say."""
