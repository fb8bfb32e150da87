"""The engine: read, observe, merge, desire, deliver; reconcile, backfill, plan."""
