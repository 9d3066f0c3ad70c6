"""What every view must answer, worked out in plain Python from rows of the truth, and by none of the views' texts.

A row of a view is a dictionary. Times are datetimes in UTC; where a view looks at the clock, `now` is handed in.
"""

from collections.abc import Callable

from genie_assets_tests.views.golden_activity import GoldenActivity
from genie_assets_tests.views.golden_answers import GoldenAnswers
from genie_assets_tests.views.golden_basics import Row
from genie_assets_tests.views.golden_health import GoldenHealth
from genie_assets_tests.views.golden_questions import GoldenQuestions
from genie_assets_tests.views.golden_spaces import GoldenSpaces


class Golden(GoldenActivity, GoldenAnswers, GoldenHealth, GoldenQuestions, GoldenSpaces):
    """The golden answers for these rows of tables. Columns that a row lacks are unknown."""

    def answer(self, view: str) -> list[Row]:
        computed: Callable[[], list[Row]] = getattr(self, view)
        return computed()
