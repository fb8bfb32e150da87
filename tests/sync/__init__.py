"""The engine, over real PostgreSQL and both stand-ins."""
