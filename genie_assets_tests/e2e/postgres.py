"""A Postgres of the distribution, on a port of this machine, with a folder of its own."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from genie_assets_tests.e2e.deployment import free_port, wait_for

USER = DATABASE = "dagster"
PASSWORD = "a password: with @signs/and slashes"


def programs() -> Path | None:
    """The folder of the server's programs, if they are installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    on_path = shutil.which("postgres")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


@dataclass
class Postgres:
    """The server; it may be killed and started again."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def make(self) -> None:
        """A cluster with one user and one database, where a password is asked for."""
        secret = self.folder / "password"
        secret.write_text(PASSWORD, encoding="utf-8")
        shutil.chown(secret, _user())
        self._run("initdb", "-D", self.folder / "data", "-U", USER, "-A", "scram-sha-256", "--pwfile", secret)
        self.start()
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", USER, DATABASE)

    def start(self) -> None:
        command: list[str | Path] = [
            _program("postgres"),
            "-D",
            self.folder / "data",
            "-p",
            str(self.port),
            "-k",
            self.folder,
        ]
        with (self.folder / "postgres.txt").open("ab") as sink:
            self.process = subprocess.Popen(
                [*command, "-h", "127.0.0.1", "-c", "fsync=off"], stdout=sink, stderr=sink, user=_other_user()
            )
        ready: list[str | Path] = [_program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        wait_for("Postgres", lambda: subprocess.run(ready, check=False).returncode == 0, seconds=60)

    def kill(self) -> None:
        """End it as if the machine had lost its power."""
        if self.process is not None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(30)

    def _run(self, program: str, *words: str | Path) -> None:
        env = {**os.environ, "PGPASSWORD": PASSWORD}
        done = subprocess.run(
            [_program(program), *words], env=env, cwd=self.folder, capture_output=True, text=True, check=False,
            user=_other_user(),
        )  # fmt: skip
        assert done.returncode == 0, f"{program}\n{done.stdout}\n{done.stderr}"


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A running server, which ends with the block. It refuses to run as root, and then runs as somebody else."""
    folder = Path(tempfile.mkdtemp(prefix="genie-postgres-"))
    shutil.chown(folder, _user())
    server = Postgres(folder)
    try:
        server.make()
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)


def _program(name: str) -> Path:
    folder = programs()
    assert folder is not None
    return folder / name


def _user() -> int:
    return pwd.getpwnam("nobody").pw_uid if os.getuid() == 0 else os.getuid()


def _other_user() -> int | None:
    """Whom it runs as, if not as ourselves."""
    return _user() if os.getuid() == 0 else None
