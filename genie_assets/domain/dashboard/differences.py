"""How two dashboards differ, in lines for people: datasets, pages and widgets by their names."""

from collections.abc import Iterator, Mapping
from typing import Any


def differences(stored: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """What a deployment would change, one line each: `+` is new, `-` goes, `~` changes."""
    return [
        *_by_name("dataset", _named(stored.get("datasets", ())), _named(wanted.get("datasets", ()))),
        *_pages(_named(stored.get("pages", ())), _named(wanted.get("pages", ()))),
        *(
            f"~ {key}"
            for key in sorted({*stored, *wanted} - {"datasets", "pages"})
            if stored.get(key) != wanted.get(key)
        ),
    ]


def _pages(stored: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[str]:
    yield from _by_name("page", dict.fromkeys(stored), dict.fromkeys(wanted))
    if [*stored] != [*wanted] and {*stored} == {*wanted}:
        yield "~ order of pages"
    for name in (each for each in wanted if each in stored):
        before, after = stored[name], wanted[name]
        if _head(before) != _head(after):
            yield f"~ page {name}"
        widgets = ({item["widget"]["name"]: item for item in page.get("layout", ())} for page in (before, after))
        yield from _by_name(f"page {name}, widget", *widgets)


def _head(page: Mapping[str, Any]) -> dict[str, Any]:
    return {"pageType": "PAGE_TYPE_CANVAS"} | {key: value for key, value in page.items() if key != "layout"}


def _by_name(what: str, stored: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"+ {what} {name}" for name in wanted if name not in stored)
    yield from (f"- {what} {name}" for name in stored if name not in wanted)
    yield from (f"~ {what} {name}" for name in wanted if name in stored and stored[name] != wanted[name])


def _named(items: Any) -> dict[str, Any]:
    return {str(item.get("name")): item for item in items}
