"""Reproducible randomness: the same seed and purpose always give the same stream."""

import random

HOUR = 3_600_000
DAY = 24 * HOUR
MINUTE = 60_000
SECOND = 1_000


def stream(seed: int, purpose: str) -> random.Random:
    """A stream of its own for each purpose, so that a change in one part leaves the others as they were."""
    return random.Random(f"{seed}/{purpose}")  # noqa: S311 - made-up data, nothing secret


def genie_id(rng: random.Random) -> str:
    """A space, conversation, message or attachment id as Genie mints them: 32 lower-case hex digits."""
    return f"01f0{rng.getrandbits(112):028x}"


def dashed_id(rng: random.Random) -> str:
    """A statement, event or request id: hex digits in the groups of a UUID."""
    digits = f"{rng.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def number_id(rng: random.Random) -> int:
    """A numeric workspace or user id; about half of them are above 2^53, where floats begin to lie."""
    if rng.random() < 0.5:
        return rng.randrange(10**15, 2**53)
    return rng.randrange(2**53 + 1, 2**63 - 1)
