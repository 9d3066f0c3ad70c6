"""How much is read of an API that may be broken."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Sizes in bytes as they are sent. Many requests are under way at a time, and each may hold as much."""

    wanted_bytes: int = 64 * 2**20  # of one request, before the rest waits for the next time
    unasked_bytes: int = 32 * 2**20  # of one request, of what nobody asked for, before it is let go
    list_bytes: int = 256 * 2**20  # of one list that is walked to its end
    grace_seconds: float = 10.0  # for an answer that is under way when the time of a run is up
