"""Deals: who may sell to whom, decided at once and explained: matching, registration, fences, pipeline."""
