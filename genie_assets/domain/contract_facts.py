"""All facts, and the verdicts of samples on them."""

from genie_assets.domain import contract_genie, contract_messages, contract_sql
from genie_assets.domain.contract import ODD_SHAPES, Fact, FactVerdict, Judged
from genie_assets.domain.samples import Samples

FACTS: tuple[Fact, ...] = (*contract_genie.FACTS, *contract_messages.FACTS, *contract_sql.FACTS)


def verdicts(samples: Samples) -> list[tuple[Fact, Judged]]:
    """Each fact with what the samples say of it: an answer of an odd shape keeps no other from being judged."""
    return [(fact, _judged(fact, samples)) for fact in FACTS]


def _judged(fact: Fact, samples: Samples) -> Judged:
    try:
        return fact.judge(samples)
    except ODD_SHAPES as problem:
        seen = f"an answer of a shape that cannot be judged ({type(problem).__name__}): please report it"
        return Judged(FactVerdict.CONTRADICTED, seen)
