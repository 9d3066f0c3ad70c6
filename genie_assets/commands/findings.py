"""What was found where something was looked at before a run."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `ok` is None if it was not, because of what was found before.

    What a run goes on without is `ok`, and `warns` of what is missing then.
    """

    ok: bool | None
    text: str
    warns: bool = False
    name: str = ""  # of what was looked at, for programs that read it
    cure: tuple[str, ...] = ()  # lines to run, in this order

    @property
    def status(self) -> str:
        """ok, warning, failed or unknown."""
        if self.ok is None:
            return "unknown"
        return "failed" if not self.ok else ("warning" if self.warns else "ok")


def of_unread(sentences: Iterable[str]) -> Iterator[Finding]:
    """Of what is set and not read, one finding for each sentence."""
    for each in sentences:
        yield Finding(ok=True, text=each, warns=True, name="settings")
