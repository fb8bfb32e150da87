"""Values and rounding."""
