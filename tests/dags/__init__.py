"""The DAGs: as parsed, as run, as killed."""
