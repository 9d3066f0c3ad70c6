"""The image's steps, carried out in a fresh folder: what its Dockerfile says, without a container.

Paths of the image below `/opt` lie in the folder, `python` is the one that runs the tests, and its user is ours.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from genie_assets_tests.e2e.conftest import CHECKOUT, tracked

DOCKERFILE = CHECKOUT / "Dockerfile"
Step = tuple[str, str]


def steps(path: Path = DOCKERFILE) -> Iterator[Step]:
    """The instructions of a Dockerfile, each with its words in one line."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#")]
    for line in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        if line.strip():
            word, _, rest = line.partition(" ")
            yield word, rest.strip()


@dataclass
class Image:
    """What the steps leave: a folder instead of a container's disk, the environment, and the command."""

    root: Path
    said_otherwise: Mapping[str, str] = field(
        default_factory=dict
    )  # texts, such as a port, and what is here instead
    environment: dict[str, str] = field(default_factory=dict)
    command: list[str] = field(default_factory=list)
    user: str = "0"
    folder: Path = Path("/")

    def here(self, text: str) -> str:
        """A text of the image, a command or a file, as it is to be here."""
        for its, ours in self.said_otherwise.items():
            text = text.replace(its, ours)
        return re.sub(r"(?<![\w./-])/opt/", f"{self.root}/opt/", text)

    def env(self, **more: str) -> dict[str, str]:
        """The environment of a process of the image, with nothing of ours but what finds packages."""
        kept = {name: os.environ[name] for name in os.environ if name.startswith(("PIP_", "SSL_", "LC_", "LANG"))}
        path = os.pathsep.join([self.environment.get("PATH", ""), str(Path(sys.executable).parent), os.defpath])
        return {**kept, "HOME": str(self.root), **self.environment, "PATH": path, **more}

    def run(self, script: str, **more: str) -> str:
        """What a shell prints that runs a script of the image.

        Raises:
            AssertionError: it failed.
        """
        command = ["/bin/sh", "-euc", self.here(script)]
        done = subprocess.run(
            command, cwd=self.folder, env=self.env(**more), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def build(self, **more: str) -> None:
        """Carry out all steps, with these variables besides."""
        for word, rest in steps():
            match word:
                case "RUN":
                    self.run(rest.replace("=10001", f"={os.getuid()}"), **more)
                case "COPY":
                    self._copy(shlex.split(rest))
                case "ENV" | "ARG":
                    self._set(rest)
                case "WORKDIR":
                    self.folder = Path(self.here(f"{rest}/"))
                    self.folder.mkdir(parents=True, exist_ok=True)
                case "FROM":
                    self.environment = {}  # a stage has nothing of the one before
                case "CMD":
                    self.command = json.loads(rest)
                case "USER":
                    self.user = rest
                case "EXPOSE":
                    pass
                case _:
                    raise AssertionError(f"nothing here knows {word}")

    def _set(self, rest: str) -> None:
        for pair in shlex.split(rest):
            name, _, value = pair.partition("=")
            self.environment[name] = self.here(value).removesuffix(":$PATH")

    def _copy(self, words: list[str]) -> None:
        if words[0].startswith("--from="):
            assert words[1] == words[2], "both stages are in one folder here"
            return
        target = self.folder if words[-1] in (".", "./") else Path(self.here(words[-1]))
        for source in words[:-1]:
            for name in tracked(source):
                inside = Path(name).relative_to(source) if (CHECKOUT / source).is_dir() else Path()
                place = (
                    target / Path(source).name if words[-1].endswith("/") else self.folder / words[-1]
                ) / inside
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(CHECKOUT / name, place)
                if source.startswith("deploy/"):
                    place.write_text(self.here(place.read_text(encoding="utf-8")), encoding="utf-8")
