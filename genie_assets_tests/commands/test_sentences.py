"""Problems that a user can do something about end in one sentence, wherever they are raised."""

from importlib import import_module

import click
import pytest
from click.testing import CliRunner

from genie_assets.commands import sentences
from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.gateways.databricks.retries import CallError

EXPECTED = [getattr(import_module(module), name) for module, name in sentences._EXPECTED]


@pytest.mark.parametrize("kind", EXPECTED, ids=lambda kind: kind.__name__)
def test_an_expected_problem_is_one_harmless_sentence(kind: type[Exception]) -> None:
    """They are known by name, so that nobody imports them in vain: a name that is gone would mean a traceback."""
    text = "GENIE_X is wrong:\n\x1b[2Kset it."
    problem = CallError(FetchError(ErrorClass.CONFIG, text)) if kind is CallError else kind(text)

    @click.command()
    @sentences.one_sentence
    def fails() -> None:
        raise problem

    done = CliRunner().invoke(fails)
    assert (done.exit_code, done.output) == (1, "Error: GENIE_X is wrong: \\x1b[2Kset it.\n")


def test_what_nobody_expects_keeps_its_traceback() -> None:
    @click.command()
    @sentences.one_sentence
    def fails() -> None:
        raise KeyError("a fault of ours")

    assert isinstance(CliRunner().invoke(fails).exception, KeyError)
