"""The process that has our code loaded, below `dagster dev`: Dagster does not start it again when it is killed.

Of the two processes below it, Dagster looks after the first one, which only passes on what it is asked. The second
one has our code; without it webserver and daemon live on, and start nothing. A reload in the UI mends that.
"""

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.request import ProxyHandler, Request, build_opener

# A reload starts the new process before it ends the old one; but where the first one is started again, as Dagster
# does it within seconds, there is none for as long as that takes.
SECONDS_TO_RELOAD = 20.0
SECONDS_TO_GIVE_UP = 60.0
_COMMAND = "dagster api grpc"
_LOCATION = "genie_assets"  # as workspace.yaml calls it
_RELOAD = (
    """mutation ($name: String!) { reloadRepositoryLocation(repositoryLocationName: $name) { __typename } }"""
)
_direct = build_opener(ProxyHandler({}))  # straight to loopback, whatever proxy the environment names


@dataclass
class CodeServer:
    """Looks whether the process lives, has it started again where it does not, and says when that is no use.

    A process that did not live before is not missed: code that cannot be loaded, say, is said by Dagster.
    """

    lives: Callable[[], bool]
    reload: Callable[[], None]
    tell: Callable[[str], None]
    _seen_at: float | None = None  # when it was last seen alive, in seconds of any clock that only goes on
    _is_asked: bool = False

    def look(self, now: float) -> bool:
        """Whether to go on; false where it is gone for good."""
        if self.lives():
            if self._is_asked:
                self.tell("It has been started again.")
            self._seen_at, self._is_asked = now, False
        elif self._seen_at is None:
            return True
        elif now - self._seen_at >= SECONDS_TO_GIVE_UP:
            return False
        elif now - self._seen_at >= SECONDS_TO_RELOAD and not self._is_asked:
            self._is_asked = True
            self.tell("The process with our code ended: Dagster is asked to start it again.")
            self.reload()
        return True


def lives(group: int) -> bool:
    """Whether a process of the group serves our code."""
    return any(_COMMAND in command for command in _commands(group))


def _commands(group: int) -> Iterator[str]:
    """How the processes of the group were called."""
    folders = list(Path("/proc").glob("[0-9]*"))
    for folder in folders:
        # A process may end while it is looked at.
        with suppress(OSError, IndexError):
            # The name of the program comes second, in parentheses, and may hold anything.
            state, _, of_group = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()[:3]
            if of_group == str(group) and state not in "ZX":
                yield (folder / "cmdline").read_text(errors="replace").replace("\0", " ")
    if not folders:  # no Linux
        command = ["ps", "-A", "-o", "pgid=,args="]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)  # noqa: S603
        for of_group, _, called in (line.strip().partition(" ") for line in done.stdout.splitlines()):
            if of_group == str(group):
                yield called


def reload_of(url: str) -> Callable[[], None]:
    """What has a webserver load our code location anew; that it cannot is seen by its process."""
    body = {"query": _RELOAD, "variables": {"name": _LOCATION}}

    def reload() -> None:
        request = Request(f"{url}/graphql", json.dumps(body).encode(), {"Content-Type": "application/json"})  # noqa: S310 - ours, on loopback
        with suppress(OSError), _direct.open(request, timeout=SECONDS_TO_GIVE_UP):
            pass

    return reload
