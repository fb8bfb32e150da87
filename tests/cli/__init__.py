"""Tests of the `hub` command and of what it starts."""
