"""The hub converges: by seeded histories of its deciding functions, and with real processes that are killed."""
