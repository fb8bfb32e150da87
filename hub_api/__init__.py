"""The HTTP API: resources, actions, vendors' callbacks."""
