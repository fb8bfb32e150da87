"""How each system's records and the canonical model become each other: one YAML file per stream, compiled to functions both ways."""
