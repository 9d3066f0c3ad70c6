"""One page of HTML: the document within it as data, and a style and a script that it names by their hashes.

Whatever the document holds, it stays text: in the page's data nothing can end the element that it stands in.
"""

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

_HERE = Path(__file__).parent
TITLE = "Genie, observed"
# The parts of the script, each a file that speaks of what stands in those before it. They share one scope
# of their own; the scales stand outside of it, because they know nothing of a page.
SCALES = "scale.js"
PARTS = (
    *("words.js", "elements.js", "choice.js", "charts.js"),
    *("figures.js", "over_time.js", "spaces.js", "questions.js", "pipeline.js", "page.js"),
)
# What HTML gives a meaning, and what has no shape of its own: controls, marks that turn the direction of text, and
# characters that take no room.
_ESCAPED = re.compile("[<>&\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]")


def page(document: Mapping[str, Any], *, made_up: bool = False) -> str:
    """The page that shows a document.

    Args:
        document: Plain values, as `pipeline.report.gather` puts them together.
        made_up: Whether the data is a made-up account's; the page says so.
    """
    style, script = _text("page.css"), _script()
    return _template().render(
        title=TITLE,
        made_up=made_up,
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        style_hash=_hash(style),
        script_hash=_hash(script),
        document=Markup(_as_data(document)),  # noqa: S704 - without any character that HTML gives a meaning
    )


def _as_data(document: Mapping[str, Any]) -> str:
    """JSON in which no character opens or closes anything in HTML, turns text around, or is more than UTF-8 holds.

    What reads it gets every text as it was: only whoever looks at the file would see something else.
    """
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", whole)


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _script() -> str:
    """All parts as one script, so that the page names one hash."""
    return f"{_text(SCALES)}(() => {{\n{''.join(map(_text, PARTS))}}})();\n"


@cache
def _text(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


@cache
def _template() -> Any:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(_text("page.html.j2"))
