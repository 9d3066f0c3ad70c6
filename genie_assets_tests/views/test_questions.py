"""docs/questions.md: every statement in it runs, and says something."""

import re
from pathlib import Path

import pytest

from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.sql.views import shipped_views
from genie_assets_tests.rooms import CHECKOUT
from genie_assets_tests.views.world import ask, golden_rows, lake_of

pytestmark = pytest.mark.slow

DOCUMENT = (Path(CHECKOUT) / "docs/questions.md").read_text(encoding="utf-8")
QUESTIONS = dict(re.findall(r"^### (.+?)\n\n```sql\n(.+?)\n```$", DOCUMENT, re.MULTILINE | re.DOTALL))
# The made-up account has nothing to say to these.
EMPTY = {"What does one person ask?", "Which spaces are in the trash?", "Which questions contain a word?"} | {
    "How often was a message tried, and what happened each time?"
}


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lakehouse:
    return lake_of(golden_rows(), tmp_path_factory.mktemp("lakehouse"))


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_has_an_answer(lake: Lakehouse, question: str) -> None:
    found = ask(lake, QUESTIONS[question])
    assert found or question in EMPTY


def test_there_are_enough_questions_and_each_view_answers_one() -> None:
    assert len(QUESTIONS) >= 40
    assert DOCUMENT.count("```sql") == len(QUESTIONS)
    unused = {name for name in shipped_views() if not any(f" {name}" in text for text in QUESTIONS.values())}
    assert unused <= {"messages", "response_times"}
