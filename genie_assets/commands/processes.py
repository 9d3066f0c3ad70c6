"""Which process executes a run, written into the run's tags, and whether that process is provably gone.

Proof takes two things: that it ran where we are, and that no process has its number any more or that the one that
has it started at another time. Where either is unknown, the process may live: another container may have the same
host name, the same first process and the same tables.
"""

import hashlib
import os
import platform
import re
import subprocess
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

HOST_TAG = "genie_assets/host"
PID_TAG = "genie_assets/pid"
STARTED_TAG = "genie_assets/pid_started"

# What the kernel calls the name spaces of a machine itself, as opposed to those of a container on it.
_OF_THE_MACHINE = {"pid": 4026531836, "uts": 4026531838, "ipc": 4026531839, "cgroup": 4026531835}
_ENDED = "ended"


@dataclass(frozen=True)
class Process:
    """A process: where it runs, its number there, and when it started, however the system says so."""

    host: str  # a name for people, and what tells this place from all others: `laptop/0123456789abcdef`
    pid: int
    started: str

    @property
    def tags(self) -> dict[str, str]:
        """The tags of a run that it executes."""
        return {HOST_TAG: self.host, PID_TAG: str(self.pid), STARTED_TAG: self.started}

    @property
    def is_here(self) -> bool:
        """Whether it runs, or ran, among the processes that we can see."""
        return _place(self.host) == _place(_this_host())

    @property
    def is_gone(self) -> bool:
        """Whether it has provably ended."""
        if not self.is_here:
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except (PermissionError, OverflowError):
            pass
        return _start_of(self.pid) not in (self.started, None)

    def __str__(self) -> str:
        where = "this machine" if self.is_here else f"host {self.host.rpartition('/')[0]}"
        return f"process {self.pid} on {where}"


@cache
def this_process() -> Process:
    """The process that we are."""
    pid = os.getpid()
    return Process(_this_host(), pid, _start_of(pid) or _unknown())


def process_of(tags: Mapping[str, str]) -> Process | None:
    """The process that executes a run with these tags; None if it was started by others."""
    try:
        found = Process(tags[HOST_TAG], int(tags[PID_TAG]), tags[STARTED_TAG])
    except (KeyError, ValueError):
        return None
    return found if found.pid > 0 else None


def _place(host: str) -> str:
    return host.rpartition("/")[2]


@cache
def _this_host() -> str:
    name = platform.node() or "unknown"
    known = {"Linux": _linux_place, "Darwin": _macos_place}.get(platform.system(), _unknown)()
    # Others need not learn the machine's own id.
    return f"{name}/{hashlib.sha256(f'genie_assets {known}'.encode()).hexdigest()[:16]}"


def _unknown() -> str:
    """Like no other: nothing is proven by it."""
    return uuid.uuid4().hex


def _linux_place() -> str:
    """The machine, through all its boots; or, in a container, this one container."""
    name = platform.node()
    try:
        spaces = {each: _inode(each) for each in _OF_THE_MACHINE}
        machine = _text("/etc/machine-id")
        if spaces == _OF_THE_MACHINE and machine:
            return f"machine {machine} {name}"
        # An image brings the same machine id into all its containers; and no container outlives a boot.
        return f"container {_boot()} {spaces['pid']} {name}"
    except (OSError, ValueError):
        return _unknown()


def _inode(space: str) -> int:
    return int(re.sub(r"\D", "", str(Path(f"/proc/self/ns/{space}").readlink())))


def _macos_place() -> str:
    found = re.search(r'"IOPlatformUUID" = "([^"]+)"', _output("ioreg", "-rd1", "-c", "IOPlatformExpertDevice"))
    return f"mac {found[1]}" if found else _unknown()


def _start_of(pid: int) -> str | None:
    """When a process started, `_ENDED` for one that has, or None if nothing says so.

    Neither a changed clock nor another time zone changes it.
    """
    if platform.system() != "Linux":
        state, _, started = _output("ps", "-o", "stat=,lstart=", "-p", str(pid)).strip().partition(" ")
        return _ENDED if state.startswith("Z") else started.strip() or None
    try:
        # The name of the program comes second, in parentheses, and may hold anything.
        fields = _text(f"/proc/{pid}/stat").rpartition(")")[2].split()
        return _ENDED if fields[0] in "ZX" else f"{_boot()} {fields[19]}"
    except (OSError, IndexError):
        return None


def _boot() -> str:
    return _text("/proc/sys/kernel/random/boot_id")


def _text(path: str) -> str:
    return Path(path).read_text(encoding="utf-8", errors="replace").strip()


def _output(*command: str) -> str:
    try:
        # Dates are shown in the zone and the language of whoever asks.
        plain = {**os.environ, "TZ": "UTC", "LC_ALL": "C"}
        done = subprocess.run(command, env=plain, capture_output=True, text=True, timeout=5, check=False)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout
