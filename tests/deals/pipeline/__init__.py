"""Pipelines, forecast, leads."""
