"""The hub's Airflow DAGs, generated from hub.yaml: per system one for increments, deliveries, reconciliation, backfill; one for upkeep.

Nothing is read but the file that HUB_CONFIG names and the mappings it uses; everything else happens in tasks, through the same entry
points as the `hub` command. State is in the hub's database: a task may be killed, run twice or run late.

(Airflow's safe mode reads only files that say both "airflow" and "dag"; .airflowignore names those that only help.)
"""

from __future__ import annotations

import os
from pathlib import Path

from dags.building import backfill_dag, deliver_dag, increment_dag, reconcile_dag, upkeep_dag
from sync.config import load
from sync.errors import BadConfig

_named = os.environ.get("HUB_CONFIG")
if not _named:
    raise BadConfig("no configuration is named", next_step="set HUB_CONFIG for Airflow's DAG processor and workers")
_config = load(Path(_named))
_dags = [build(_config, system) for system in _config.systems for build in (increment_dag, deliver_dag, reconcile_dag, backfill_dag)]
globals().update({dag.dag_id: dag for dag in [*_dags, upkeep_dag(_config)]})
