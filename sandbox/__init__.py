"""Stand-ins of the vendors' systems, and the worlds to fill them with. Nothing of the hub is imported here."""
