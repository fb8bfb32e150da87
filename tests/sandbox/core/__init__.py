"""Tests of what all stand-ins share."""
