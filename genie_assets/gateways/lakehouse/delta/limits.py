"""How far a lakehouse of files goes: times, numbers and room that a test may choose otherwise."""

from dataclasses import dataclass

_MIB = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """What is enough, or too much.

    Attributes:
        kept_free: bytes of a disk that are kept free beside what a write brings along: it may rewrite files, and a
            disk that is full to the brim takes neither a commit nor Dagster's own records.
        commit_seconds: for how long a write that others overtake is tried again.
        least_attempts: how often it is tried at least, for time passes while a process is stopped, too.
        opening_attempts: how often a table whose log is shortened meanwhile is opened.
        unseen_seconds: in an object store, a commit that took no longer since its table was opened is in the
            table: nobody removes entries of its log so soon.
    """

    kept_free: int = 64 * _MIB
    commit_seconds: float = 60
    least_attempts: int = 5
    opening_attempts: int = 5
    unseen_seconds: float = 20
