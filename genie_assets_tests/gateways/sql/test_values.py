import datetime as dt
import decimal
import json

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genie_assets.gateways.sql.values import UnreadableValueError, frame, parameter

UTC = dt.UTC
LONGEST = 2**63 - 1


def column(type_name, *values):
    return frame([{"name": "x", "type_name": type_name}], [[value] for value in values])["x"]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-08-12T02:00:00.310Z", dt.datetime(2026, 8, 12, 2, 0, 0, 310_000, UTC)),
        ("2026-08-12 02:00:00", dt.datetime(2026, 8, 12, 2, tzinfo=UTC)),
        ("2026-08-12T02:00:00.123456789", dt.datetime(2026, 8, 12, 2, 0, 0, 123_456, UTC)),
        ("2026-08-12T02:00:00+05:30", dt.datetime(2026, 8, 11, 20, 30, tzinfo=UTC)),
        ("2026-08-12 02:00:00-07", dt.datetime(2026, 8, 12, 9, tzinfo=UTC)),
        ("2026-08-12T02:00:00+0530", dt.datetime(2026, 8, 11, 20, 30, tzinfo=UTC)),
        ("2026-08-12", dt.datetime(2026, 8, 12, tzinfo=UTC)),
        ("2026-08-12 02:00:00 UTC", dt.datetime(2026, 8, 12, 2, tzinfo=UTC)),
        ("2026-08-12T02:00:00Z[UTC]", dt.datetime(2026, 8, 12, 2, tzinfo=UTC)),
        ("2026-08-12T02:00:00Z[Etc/UTC]", dt.datetime(2026, 8, 12, 2, tzinfo=UTC)),
        ("0001-01-01 00:00:00", dt.datetime(1, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59.999999Z", dt.datetime(9999, 12, 31, 23, 59, 59, 999_999, UTC)),
    ],
)
def test_a_timestamp_is_utc_however_it_is_spelled(text, moment):
    """Left to pandas, a column of mixed spellings becomes NaT or local time."""
    values = column("TIMESTAMP", text, None)
    assert values.dtype == "datetime64[us, UTC]"
    assert values[0].to_pydatetime() == moment
    assert pd.isna(values[1])


def test_a_64_bit_number_stays_exact_beside_a_null():
    """Through a float, 9223372036854775807 becomes ...808."""
    values = column("LONG", str(LONGEST), LONGEST, None, "-9223372036854775808")
    assert values.dtype == "Int64"
    assert [values[0], values[1], values[3]] == [LONGEST, LONGEST, -(2**63)]
    assert values[2] is pd.NA


@pytest.mark.parametrize(
    ("type_name", "value", "read"),
    [
        ("STRING", "", ""),
        ("STRING", "null", "null"),
        ("STRING", 7, "7"),
        ("INT", 3.0, 3),
        ("BOOLEAN", "true", True),
        ("BOOLEAN", "FALSE", False),
        ("boolean", "false", False),
        ("BIGINT", "5", 5),
        ("varchar", "x", "x"),
        ("BOOLEAN", True, True),
        ("DOUBLE", "1.5E300", 1.5e300),
        ("FLOAT", 2, 2.0),
        ("DATE", "2026-08-12", dt.date(2026, 8, 12)),
        ("DECIMAL", "12345678901234567890.123456789", decimal.Decimal("12345678901234567890.123456789")),
        ("ARRAY", '["a",null]', ["a", None]),
        ("MAP", '{"k":"v"}', {"k": "v"}),
        ("STRUCT", {"status_code": 200}, {"status_code": 200}),
        ("STRUCT", "{not json}", "{not json}"),
        ("INTERVAL", "3 days", "3 days"),
    ],
)
def test_each_type_is_read_and_null_stays_null(type_name, value, read):
    values = column(type_name, value, None)
    assert values[0] == read
    assert pd.isna(values[1])


@pytest.mark.parametrize(
    ("type_name", "value"),
    [
        ("LONG", "1.5"),
        ("LONG", str(2**63)),
        ("INT", 0.5),
        ("BOOLEAN", "yes"),
        ("TIMESTAMP", "yesterday"),
        ("DATE", "12.8.2026"),
        ("DECIMAL", "many"),
    ],
)
def test_a_value_that_does_not_fit_names_its_column_and_not_itself(type_name, value):
    with pytest.raises(UnreadableValueError, match="column x is not a") as caught:
        column(type_name, value)
    assert str(value) not in str(caught.value)


def test_an_empty_result_has_its_columns_and_types():
    columns = [{"name": "n", "type_name": "LONG"}, {"name": "t", "type_name": "TIMESTAMP"}, {"name": "s"}]
    assert dict(frame(columns, []).dtypes.astype(str)) == {
        "n": "Int64",
        "t": "datetime64[us, UTC]",
        "s": "object",
    }


def test_two_columns_of_one_name_and_short_rows_are_refused():
    with pytest.raises(UnreadableValueError, match="two columns named x"):
        frame([{"name": "x"}, {"name": "x"}], [])
    with pytest.raises(UnreadableValueError, match="lacks the column y"):
        frame([{"name": "x"}, {"name": "y"}], [["only x"]])


scalars = st.none() | st.booleans() | st.integers(-(2**63), LONGEST) | st.text() | st.floats(allow_nan=False)


@given(st.lists(st.dictionaries(st.text(), scalars | st.lists(scalars)), min_size=1))
def test_nested_values_come_back_as_they_were(values):
    assert list(column("STRUCT", *(json.dumps(value) for value in values))) == values


@pytest.mark.parametrize(
    ("value", "spelled"),
    [
        ("it's; DROP", {"type": "STRING", "value": "it's; DROP"}),
        (True, {"type": "BOOLEAN", "value": "true"}),
        (LONGEST, {"type": "BIGINT", "value": str(LONGEST)}),
        (dt.date(2026, 8, 12), {"type": "DATE", "value": "2026-08-12"}),
        (
            dt.datetime(2026, 8, 12, 2, tzinfo=dt.timezone(dt.timedelta(hours=2))),
            {"type": "TIMESTAMP", "value": "2026-08-12T00:00:00.000000Z"},
        ),
        (None, {"type": "STRING"}),
    ],
)
def test_a_parameter_is_typed_text_and_null_has_no_value(value, spelled):
    assert parameter("p", value) == {"name": "p", **spelled}


def test_a_parameter_that_could_mean_several_things_is_refused():
    with pytest.raises(TypeError, match="time zone"):
        parameter("p", dt.datetime(2026, 8, 12))  # noqa: DTZ001 - that is the point
    with pytest.raises(TypeError, match="cannot be a list"):
        parameter("p", ["a"])  # type: ignore[arg-type]
