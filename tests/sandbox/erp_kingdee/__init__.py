"""Tests of the Kingdee stand-in, with the official SDK as its client."""
