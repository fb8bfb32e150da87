"""What time does to deals, and who is told."""
