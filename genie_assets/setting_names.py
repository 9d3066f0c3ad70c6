"""Names that look like settings of ours and are none: what they would set is not read, and nothing else says so.

No error: other programs may have settings that begin as ours do. Only names are told, never what they are set to.
"""

import difflib
import logging
import os
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from genie_assets.settings import Settings

_OURS = "GENIE_"
# Set by our own commands for the processes that they start.
_BETWEEN_US = frozenset({"GENIE_REPORT_URL"})
# How alike two names are behind what they have in common, from 0 to 1: a letter that is missing, doubled, or two
# that are exchanged; and no other word.
_ALIKE = 0.75
_TOLD = set[str]()
_log = logging.getLogger(__name__)


class UnknownName(NamedTuple):
    """A name that is no setting's, and the setting that it may mean."""

    name: str
    meant: str | None

    @property
    def sentence(self) -> str:
        """What a person is told."""
        told = f"{self.name} is no setting of genie-assets, and is not read"
        return f"{told}: is {self.meant} meant?" if self.meant else f"{told}."


def unknown_names(names: Iterable[str]) -> Iterator[UnknownName]:
    """Those of the names that begin like a setting of ours, and are none; capitals make no difference.

    Args:
        names: Names of environment variables.
    """
    known = {field.upper() for field in Settings.model_fields}
    ends = [name.removeprefix(_OURS) for name in sorted(known) if name.startswith(_OURS)]
    for name in sorted(names):
        upper = name.upper()
        if upper.startswith(_OURS) and upper not in known | _BETWEEN_US:
            close = difflib.get_close_matches(upper.removeprefix(_OURS), ends, n=1, cutoff=_ALIKE)
            yield UnknownName(name, f"{_OURS}{close[0]}" if close else None)


def misspelt() -> list[str]:
    """One sentence for each variable of the environment that is near a setting of ours, and none."""
    return [each.sentence for each in unknown_names(os.environ) if each.meant]


def news(sentences: Iterable[str]) -> list[str]:
    """Those that this process has not been told yet; from now on it has."""
    found = [each for each in dict.fromkeys(sentences) if each not in _TOLD]
    _TOLD.update(found)
    return found


def log_misspelt() -> None:
    """Tell them where no command of ours has: in the log of whatever process loads the code location."""
    for sentence in news(misspelt()):
        _log.warning(sentence)
