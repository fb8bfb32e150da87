"""Tests of the Zoho stand-in, with the official SDK as one of its clients."""
