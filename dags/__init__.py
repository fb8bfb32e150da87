"""Airflow DAGs: thin; schedule, fan out, call one entry point."""
