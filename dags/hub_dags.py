"""The hub's Airflow DAGs, generated from hub.yaml: per system one for increments, deliveries, reconciliation and backfill.

(Airflow's safe mode reads only files that say both "airflow" and "dag"; .airflowignore names those that only help.)

Nothing is read but the file that HUB_CONFIG names; everything else happens in tasks, through the same entry points as the `hub` command. State is in the
hub's database: a task may be killed, run twice or run late.
"""

from __future__ import annotations

import os
from pathlib import Path

from dags.building import backfill_dag, deliver_dag, increment_dag, reconcile_dag
from sync.config import load

_named = os.environ.get("HUB_CONFIG")
if _named:
    _config = load(Path(_named))
    for _system in _config.systems:
        for _build in (increment_dag, deliver_dag, reconcile_dag, backfill_dag):
            _dag = _build(_config, _system)
            globals()[_dag.dag_id] = _dag
