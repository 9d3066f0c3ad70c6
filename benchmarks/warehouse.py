"""`python -m benchmarks.warehouse`: what tables in Unity Catalog cost the SQL warehouse, counted on the sandbox.

One JSON object per line and per step of a day: statements sent, files staged, bytes to and from the warehouse.
Everything is counted by the sandbox and does not depend on the speed of the machine.
"""

import datetime as dt
import json
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from benchmarks.measuring import in_a_process
from genie_assets.sandbox.account import save
from genie_assets.sandbox.client import SandboxProcess
from genie_assets.sandbox.uniform import generate_uniform

DAY = dt.date(2026, 3, 2)
_ANCHOR = dt.datetime(2026, 3, 2, 22, tzinfo=dt.UTC)
_MESSAGES_PER_CONVERSATION = 5
STEPS = ("audit_messages", "genie_api_messages", "enriched_message_details", "checks")


@click.command()
@click.option("--messages", default=10_000, show_default=True, help="Messages of the day.")
@click.option("--quick", is_flag=True, help="A hundred messages: shows that it works.")
def main(messages: int, quick: bool) -> None:
    """Load a day into Unity Catalog, twice, and tell what the warehouse was asked."""
    measure(100 if quick else messages)


def measure(messages: int, tell: Callable[[str], None] = print) -> None:
    """Load a day of so many messages twice: everything is new, then nothing is."""
    with TemporaryDirectory(prefix="genie-benchmark-") as folder:
        account = generate_uniform(
            seed=1,
            anchor=_ANCHOR,
            conversations=messages // _MESSAGES_PER_CONVERSATION,
            messages_per_conversation=_MESSAGES_PER_CONVERSATION,
        )
        save(account, Path(folder, "account"))
        with SandboxProcess(Path(folder, "account")) as sandbox:
            environment = sandbox.environment() | {"GENIE_LAKEHOUSE": "uc://main.genie_analytics"}
            for run in ("first", "again"):
                for step in STEPS:
                    sandbox.reset_requests()
                    started = time.monotonic()
                    in_a_process("unity_step", {"step": step, "day": DAY.isoformat(), "environment": environment})
                    asked = sandbox.requests(0)
                    sent = asked["sent_bytes"]
                    line = {
                        "run": run,
                        "step": step,
                        "messages": len(account.messages),
                        "statements": asked["by_call"].get("POST statements", 0),
                        "files_staged": asked["by_call"].get("PUT files", 0),
                        "bytes_staged": asked["received_bytes"].get("files", 0),
                        "bytes_of_statements": asked["received_bytes"].get("statements", 0),
                        "bytes_of_results": sent.get("statements", 0) + sent.get("presigned", 0),
                        "seconds": round(time.monotonic() - started, 1),
                    }
                    tell(json.dumps(line))


if __name__ == "__main__":
    main()
