"""Looking up what a planned space needs: what an answer means is decided in `domain.space_references`."""

from genie_assets.domain.outcomes import FetchError
from genie_assets.domain.space_plans import Plan
from genie_assets.domain.space_references import (
    Finding,
    finding,
    is_hopeless,
    not_asked,
    not_to_be_looked_up,
    references_of,
)
from genie_assets.pipeline.ports import LiveReferences

_MOST = 300  # a space has 30 tables and 100 instructions at most, by Databricks' limits


def looked_up(plan: Plan, live: LiveReferences) -> list[Finding]:
    """What is known of all that the space needs which the plan makes or changes. Nothing is left out."""
    found: list[Finding] = []
    failures: list[FetchError] = []
    asked = 0
    for reference in references_of(plan.after):
        known = not_to_be_looked_up(reference)
        if known is None and (asked >= _MOST or is_hopeless(failures)):
            known = not_asked(reference)
        if known is None:
            answer = live.look_up(plan.workspace_id, reference)
            asked += 1
            failures += [answer] if isinstance(answer, FetchError) else []
            known = finding(reference, answer)
        found.append(known)
    return found
