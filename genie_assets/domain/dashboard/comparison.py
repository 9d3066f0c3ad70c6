"""The dataset that sets the period against the one before it, which is as long."""

from genie_assets.domain.dashboard.datasets import PARAMETERS, SPACE, WORKSPACE, chosen
from genie_assets.domain.dashboard.words import Dataset

_FIGURES = {
    "questions": "COUNT(*)",
    "people": "COUNT(DISTINCT CASE WHEN user_kind <> 'SERVICE_PRINCIPAL' THEN user_key END)",
    "success": "AVG(CASE WHEN is_judged THEN CASE WHEN outcome = 'ANSWERED' THEN 1.0D ELSE 0.0D END END)",
    "p95_s": "PERCENTILE(CASE WHEN outcome = 'ANSWERED' THEN response_time_ms END, 0.95) / 1000.0D",
}
_DAYS = "DATEDIFF(:period.max, :period.min) + 1"
_SELECT = ",\n  ".join(
    [
        *(f"n.{name}" for name in _FIGURES),
        *(f"CASE WHEN k.loaded_before = {_DAYS} THEN b.{name} END AS {name}_before" for name in _FIGURES),
    ]
)


def _figures(days: str) -> str:
    figures = ",\n    ".join(f"{text} AS {name}" for name, text in _FIGURES.items())
    where = chosen(WORKSPACE, SPACE).replace("\n", "\n  ")
    return f"SELECT\n    {figures}\n  FROM message_overview\n  WHERE {days}\n    AND {where}"


_BEFORE = f"day BETWEEN DATE_SUB(:period.min, {_DAYS}) AND DATE_SUB(:period.min, 1)"

COMPARISON = Dataset(
    "comparison",
    "The period and the one before it",
    f"WITH now_figures AS (\n  {_figures('day BETWEEN :period.min AND :period.max')}\n),\n"  # noqa: S608 - parts of this file
    f"before_figures AS (\n  {_figures(_BEFORE)}\n),\n"
    "known AS (\n  SELECT COUNT(*) AS loaded_before\n  FROM calendar\n"
    f"  WHERE is_loaded AND {_BEFORE}\n)\n"
    f"SELECT\n  {_SELECT}\nFROM now_figures AS n\nCROSS JOIN before_figures AS b\nCROSS JOIN known AS k",
    (*_FIGURES, *(f"{name}_before" for name in _FIGURES)),
    PARAMETERS,
    ("calendar", "message_overview"),
)
