"""The pool that keeps callers of the Genie API apart, and whether this Dagster instance limits it.

A workspace has one request budget. The caller that has the pool's slot uses all of it with many threads and finds
out how fast it may ask; two callers would each take the other's requests for a server that slows down. So the pool
needs a limit of 1. That is all that is asked of an instance: other pools and runs are nobody's business here.
"""

import dagster as dg

GENIE_API_POOL = "genie_api"
LIMIT_THE_POOL = f"dagster instance concurrency set {GENIE_API_POOL} 1"


def pool_problem(instance: dg.DagsterInstance) -> str | None:
    """One sentence if two runs on this instance could ask the Genie API at once; None if they cannot."""
    storage = instance.event_log_storage
    if not storage.supports_global_concurrency_limits:
        return (
            "This Dagster instance keeps its events where pools have no limits, so nothing keeps a second run "
            f"from sharing the Genie API's request budget (pool {GENIE_API_POOL}): run one at a time."
        )
    limits = {pool.name: pool.limit for pool in storage.get_pool_limits() if not pool.from_default}
    limit = limits.get(GENIE_API_POOL, instance.get_concurrency_config().pool_config.default_pool_limit)
    if limit == 1:
        return None
    found = "no limit" if limit is None else f"a limit of {limit}"
    return (
        f"The pool {GENIE_API_POOL} has {found} on this Dagster instance, so that runs may share the Genie API's "
        f"request budget and slow each other down: run `{LIMIT_THE_POOL}`."
    )
