"""The HTTP API: records with row and field permission, repairs with audit, vendor callbacks, health and metrics."""
