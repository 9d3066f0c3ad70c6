"""Named parameters of a statement: checked, typed, and never pasted as text."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from genie_sandbox.sql.errors import SqlError

_SCALAR_TYPE = re.compile(
    r"STRING|BOOLEAN|DATE|TIMESTAMP|TIMESTAMP_NTZ|TINYINT|BYTE|SMALLINT|SHORT|INT|INTEGER|BIGINT|LONG|FLOAT|DOUBLE"
    r"|BINARY|(DECIMAL|DEC|NUMERIC)(\(\d{1,2}(,\d{1,2})?\))?"
)
# Text that every lexer reads in the same way: no quotes, no backslashes, no control characters.
_HARMLESS = re.compile(r"[\w .,:;@/|+*=()\[\]-]*", re.ASCII)


@dataclass(frozen=True)
class Parameter:
    """A parameter as it was sent: its value is text, None is NULL."""

    name: str
    value: str | None
    type: str = "STRING"


class Parameters:
    """The parameters of one statement.

    Raises:
        SqlError: if two have one name, or a type is not scalar.
    """

    def __init__(self, parameters: Sequence[Parameter]) -> None:
        self._by_name: dict[str, Parameter] = {}
        for parameter in parameters:
            if parameter.name in self._by_name:
                raise SqlError("DUPLICATE_PARAMETER", f"The parameter {parameter.name} is given twice.")
            if not _SCALAR_TYPE.fullmatch(_normal(parameter.type)):
                raise SqlError(
                    "UNSUPPORTED_PARAMETER_TYPE",
                    f"Parameter {parameter.name} has the type {parameter.type}; only scalar types are supported.",
                )
            self._by_name[parameter.name] = parameter

    def keep(self, statement: exp.Expression) -> dict[str, Any]:
        """Type every marker in `statement`, in place, and return the values to send with it."""
        used: dict[str, Any] = {}

        def marker(parameter: Parameter) -> exp.Expression:
            if parameter.value is None:
                return exp.Null()
            used[parameter.name] = parameter.value
            return exp.Placeholder(this=parameter.name)

        self._replace(statement, marker)
        return used

    def inline(self, statement: exp.Expression, literal: Callable[[str], exp.Expression] | None = None) -> None:
        """Replace every marker in `statement`, in place, by a literal: commands take no parameters."""
        make = literal or text_literal

        def value(parameter: Parameter) -> exp.Expression:
            return exp.Null() if parameter.value is None else make(parameter.value)

        self._replace(statement, value)

    def text(self, name: str) -> str | None:
        """The value of a parameter.

        Raises:
            SqlError: if there is none of this name.
        """
        return self._get(name).value

    def _replace(self, statement: exp.Expression, make: Callable[[Parameter], exp.Expression]) -> None:
        for node in list(statement.find_all(exp.Placeholder)):
            if not node.this:
                raise SqlError("INVALID_PARAMETER_MARKER", "Parameters must be named: write :name instead of ?.")
            parameter = self._get(node.this)
            node.replace(_typed(make(parameter), _normal(parameter.type)))

    def _get(self, name: str) -> Parameter:
        try:
            return self._by_name[name]
        except KeyError:
            raise SqlError(
                "UNBOUND_SQL_PARAMETER", f"Found the unbound parameter: {name}. Please, provide a mapping for it."
            ) from None


def text_literal(value: str) -> exp.Expression:
    """A string literal that no text can break out of: unusual text is written as hexadecimal UTF-8."""
    if _HARMLESS.fullmatch(value):
        return exp.Literal.string(value)
    encoded = value.encode("utf-8", "replace").hex()
    return exp.cast(exp.HexString(this=encoded), "STRING", dialect="databricks")


def parameters_of(body: Sequence[Mapping[str, Any]]) -> Parameters:
    """Parameters as the API takes them: `name`, `value` (absent is NULL) and `type` (absent is STRING)."""
    return Parameters(
        [
            Parameter(
                str(item.get("name", "")),
                None if item.get("value") is None else str(item["value"]),
                str(item.get("type") or "STRING"),
            )
            for item in body
        ]
    )


def _typed(value: exp.Expression, type_: str) -> exp.Expression:
    if type_ == "STRING" and not isinstance(value, exp.Null):
        return value
    return exp.cast(value, type_, dialect="databricks")


def _normal(type_: str) -> str:
    return re.sub(r"\s+", "", type_).upper()
