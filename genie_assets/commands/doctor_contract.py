"""`genie-assets doctor --contract`: what we take for true of Databricks, held against the account."""

import datetime as dt
import json
import sys
from collections import Counter
from collections.abc import Iterator

import click

from genie_assets.commands.account_sampling import Taken, take_samples
from genie_assets.commands.terminal import paragraph, readable
from genie_assets.domain.contract import Fact, FactVerdict, Judged
from genie_assets.domain.contract_facts import verdicts
from genie_assets.domain.contract_questions import answers
from genie_assets.domain.numbers import many
from genie_assets.settings import Settings

_COLOURS = {FactVerdict.CONTRADICTED: "red", FactVerdict.NOT_SHOWN: "yellow"}
_WIDTH = 80
Verdicts = list[tuple[Fact, Judged]]
_LONGEST = 4_000  # the parameters of all actions take some room


def tell_contract(settings: Settings, *, as_json: bool) -> None:
    """Take samples, judge them, and print what came of it; exit code 1 if a fact is contradicted.

    Raises:
        ClickException: nothing at all could be judged.
    """
    taken = take_samples(settings, dt.datetime.now(dt.UTC))
    judged = verdicts(taken.samples)
    if as_json:
        click.echo(json.dumps(_document(taken, judged), indent=2))
    else:
        for line, colour in lines(taken, judged):
            click.secho(line, fg=colour)
    found = Counter(each.verdict for _, each in judged)
    if not (found[FactVerdict.HELD] or found[FactVerdict.CONTRADICTED]):
        raise click.ClickException("No fact could be tested: `genie-assets doctor` says what cannot be reached.")
    if found[FactVerdict.CONTRADICTED]:
        sys.exit(1)


def _document(taken: Taken, judged: Verdicts) -> dict[str, object]:
    return {
        "requests": taken.requests,
        "statements": taken.statements,
        "facts": [
            {
                "name": fact.name,
                "sentence": fact.sentence,
                "where": fact.where,
                "verdict": each.verdict,
                "seen": readable(each.seen),
            }
            for fact, each in judged
        ],
        "open_questions": [
            {
                "number": question.number,
                "question": question.text,
                "status": "open" if shown is None else "shown",
                "seen": None if shown is None else readable(shown, longest=_LONGEST),
            }
            for question, shown in answers(taken.samples)
        ],
    }


def lines(taken: Taken, judged: Verdicts) -> Iterator[tuple[str, str | None]]:
    """What people read, at eighty columns: lines, each with its colour.

    Args:
        taken: The samples.
        judged: The verdicts on them.
    """
    for fact, each in judged:
        colour = _COLOURS.get(each.verdict)
        yield _wrapped(f"{fact.name}: {fact.sentence}", f"{each.verdict:<13}"), colour
        yield _wrapped(f"Seen: {readable(each.seen)}", " " * 13), None
        if each.verdict is FactVerdict.CONTRADICTED:
            yield _wrapped(f"Relied on by: {fact.where}", " " * 13), None
    yield "\nOpen questions", None
    for question, shown in answers(taken.samples):
        told = "stays open" if shown is None else readable(shown, longest=_LONGEST)
        yield _wrapped(f"{question.text} {told[:1].upper()}{told[1:]}.", f"{question.number:>3}  "), None
    found = Counter(each.verdict for _, each in judged)
    counts = ", ".join(f"{found[verdict]} {verdict}" for verdict in FactVerdict)
    took = f"It took {many(taken.requests, 'request')} and {many(taken.statements, 'statement')}."
    facts = many(len(judged), "fact")
    yield "\n" + _wrapped(f"{facts}: {counts}. {took}", ""), None


def _wrapped(text: str, beginning: str) -> str:
    return paragraph(text, first=beginning, others=" " * len(beginning), piped=_WIDTH)
