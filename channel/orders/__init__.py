"""Orders: how far they have come, and how a quote becomes one."""
