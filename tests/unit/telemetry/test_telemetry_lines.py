"""A fact survives the way to disk and back, whatever is in it."""

from __future__ import annotations

import math
from datetime import datetime, timedelta, timezone
from types import MappingProxyType

import numpy as np
import pytest
from fact_factory import make_fact
from hypothesis import given
from hypothesis import strategies as st

from tool_catalog_pipelines.facts import STATUSES, Execution
from tool_catalog_pipelines.telemetry.lines import from_line, to_line

any_text = st.text(st.characters(exclude_categories=()))
numbers = st.floats(allow_nan=False)
offsets = st.integers(-14, 14).map(lambda hours: timezone(timedelta(hours=hours)))
times = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=offsets)


@given(
    st.builds(
        make_fact,
        item=any_text,
        error_message=st.none() | any_text,
        status=st.sampled_from(STATUSES),
        run_started_at=times,
        duration_ms=numbers,
        variables_measured=st.dictionaries(any_text, numbers, max_size=3),
        peak_memory_bytes=st.none() | st.integers(0, 2**63 - 1),
    )
)
def test_every_fact_comes_back_equal_from_one_line(fact: Execution) -> None:
    line = to_line(fact)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert from_line(line) == fact


def test_a_line_equals_the_json_form_of_the_fact() -> None:
    fact = make_fact(item="naïve", error_message="two\nlines")
    assert Execution.from_json(fact.to_json()) == from_line(to_line(fact))


def test_odd_values_do_not_lose_the_fact() -> None:
    fact = make_fact(
        attempt=np.int64(3),
        duration_ms=math.nan,
        variables_before=MappingProxyType({"n": np.float64(2)}),
        error_message=OSError("an object instead of a text"),
    )
    back = from_line(to_line(fact))
    assert (back.attempt, back.variables_before) == (3, {"n": 2.0})
    assert math.isnan(back.duration_ms)
    assert back.error_message == "an object instead of a text"


def test_fields_of_a_newer_version_are_ignored() -> None:
    line = to_line(make_fact()).replace(b"{", b'{"colour":"red",', 1)
    assert from_line(line) == make_fact()


@pytest.mark.parametrize(
    "line", [b"", b"\n", b"{", b"[]\n", b"3\n", b"null\n", b"{}\n", b"\xff\xfe\n", b'{"item":1}\n']
)
def test_what_is_no_fact_is_a_value_error(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_line(line)
