"""Rebates."""
