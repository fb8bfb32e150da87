"""Tests of the database: its server, its schema, its bulk work."""
