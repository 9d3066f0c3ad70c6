"""Which partitions a condition leaves out, told from the condition alone."""

from collections.abc import Collection, Iterator, Mapping

from sqlglot import exp

PartitionValues = Mapping[str, str | None]


def conditions_on(
    condition: exp.Expression | None, columns: Collection[str], alias: str | None = None
) -> list[exp.Expression]:
    """The parts of a conjunction that speak of nothing but the partition `columns`.

    With `alias`, columns are those of a table of that name and must say so, because there are others.
    """
    return [part.copy() for part in _conjuncts(condition) if _is_about(part, columns, alias)]


def rules_out(condition: exp.Expression, values: PartitionValues) -> bool:
    """Whether no row of a partition can satisfy the condition; False where that cannot be told."""
    match condition:
        case exp.Paren() | exp.Where():
            return rules_out(condition.this, values)
        case exp.And():
            return rules_out(condition.left, values) or rules_out(condition.right, values)
        case exp.Or():
            return rules_out(condition.left, values) and rules_out(condition.right, values)
        case exp.In() if condition.expressions:
            return all(_order(condition.this, item, values) not in _EQUAL for item in condition.expressions)
        case exp.Between():
            low, high = (_order(condition.this, condition.args[end], values) for end in ("low", "high"))
            return low not in _GREATER | _EQUAL or high not in _LESS | _EQUAL
        case exp.Boolean():
            return not condition.this
    satisfying = _SATISFYING.get(type(condition))
    return satisfying is not None and _order(condition.left, condition.right, values) not in satisfying


# The order of two values: -1, 0 or 1; None if one is NULL, which satisfies nothing; or one cannot be told.
_UNKNOWN = 2
_LESS, _EQUAL, _GREATER = ({order, _UNKNOWN} for order in (-1, 0, 1))
_SATISFYING: Mapping[type[exp.Expression], set[int]] = {
    exp.EQ: _EQUAL,
    exp.LT: _LESS,
    exp.LTE: _LESS | _EQUAL,
    exp.GT: _GREATER,
    exp.GTE: _GREATER | _EQUAL,
}


def _conjuncts(condition: exp.Expression | None) -> Iterator[exp.Expression]:
    if isinstance(condition, exp.Paren | exp.Where):
        yield from _conjuncts(condition.this)
    elif isinstance(condition, exp.And):
        yield from _conjuncts(condition.left)
        yield from _conjuncts(condition.right)
    elif condition is not None:
        yield condition


def _is_about(condition: exp.Expression, columns: Collection[str], alias: str | None) -> bool:
    known = {name.lower() for name in columns}
    used = list(condition.find_all(exp.Column))
    if condition.find(exp.Query) or any(column.name.lower() not in known for column in used):
        return False
    return alias is None or all(column.table.lower() == alias.lower() for column in used)


def _order(left: exp.Expression, right: exp.Expression, values: PartitionValues) -> int | None:
    one, other = _value(left, values), _value(right, values)
    if one is _UNKNOWN or other is _UNKNOWN:
        return _UNKNOWN
    if one is None or other is None:
        return None
    try:
        numbers = float(one), float(other)
    except ValueError:
        return (str(one) > str(other)) - (str(one) < str(other))  # dates as text sort like time
    return (numbers[0] > numbers[1]) - (numbers[0] < numbers[1])


def _value(node: exp.Expression, values: PartitionValues) -> str | int | None:
    inner = node.this if isinstance(node, exp.Cast | exp.Paren) else node
    if isinstance(inner, exp.Column):
        by_name = {name.lower(): value for name, value in values.items()}
        return by_name.get(inner.name.lower(), _UNKNOWN) or None
    if isinstance(inner, exp.Null):
        return None
    return str(inner.this) if isinstance(inner, exp.Literal) else _UNKNOWN
