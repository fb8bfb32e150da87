"""Tests of the stand-ins: the part they share, each vendor, and the world."""
