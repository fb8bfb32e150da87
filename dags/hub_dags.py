"""The hub's Airflow DAGs, generated from hub.yaml: per system one for increments, deliveries, reconciliation, backfill; one for each job.

Nothing is read but the file that HUB_CONFIG names and the mappings it uses; everything else happens in tasks, through the same entry
points as the `hub` command. State is in the hub's database: a task may be killed, run twice or run late.

(Airflow's safe mode reads only files that say both "airflow" and "dag"; .airflowignore names those that only help.)
"""

from __future__ import annotations

import os
from pathlib import Path

from airflow.sdk import get_parsing_context

from dags.building import builders
from sync.config_file import load
from sync.errors import BadConfig

_named = os.environ.get("HUB_CONFIG")
if not _named:
    raise BadConfig("no configuration is named", next_step="set HUB_CONFIG for Airflow's DAG processor and workers")
_config = load(Path(_named))
_wanted = get_parsing_context().dag_id  # a task needs its own DAG only; the DAG processor wants all
for _dag_id, _build in builders(_config).items():
    if _wanted in (None, _dag_id):
        globals()[_dag_id] = _build()
