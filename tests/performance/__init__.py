"""Tests of performance."""
