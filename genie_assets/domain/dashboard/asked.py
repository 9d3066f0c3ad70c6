"""What several pages ask of the datasets."""

from genie_assets.domain.dashboard.widgets import PERCENT, SECONDS, WHOLE
from genie_assets.domain.dashboard.words import column, distinct, known, mean, percentile, rows

DAY = column("day").called("Day")
SPACE = column("space").called("Space")
QUESTIONS = rows().called("Questions", WHOLE)
PEOPLE = distinct("person").called("People", WHOLE)
SUCCESS = mean("answered").called("Success rate", PERCENT)
JUDGED = known("answered").called("of (answered + failed)", WHOLE)
P95 = percentile("response_s", 0.95).called("p95 response (s)", SECONDS)
TURN_COLUMNS = (
    column("asked_at").called("Asked (UTC)"),
    SPACE,
    column("user_key").called("User"),
    column("question").called("Question"),
)
LINK = column("genie_url").called("Genie")
