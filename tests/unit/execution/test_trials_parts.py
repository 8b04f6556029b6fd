"""Comparing outputs, choosing cases, reports, and the small servers of trials."""

from __future__ import annotations

import json
import socket
import urllib.request
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from factories import make_tool_spec
from hypothesis import given
from hypothesis import strategies as st

from tool_catalog_pipelines.execution.trials.case import Case, Result, cases_of, reason_to_skip
from tool_catalog_pipelines.execution.trials.expectation import difference
from tool_catalog_pipelines.execution.trials.loopback import served
from tool_catalog_pipelines.execution.trials.report import as_json, as_junit
from tool_catalog_pipelines.spec.example import filled, places_in


def cases(**pattern: Any) -> list[Case]:
    binding = {"kind": "command", "argv": ["true"], "output": {"parser": "none"}}
    spec = make_tool_spec(**{"binding": binding, "examples": [{"name": "one"}]} | pattern)
    return list(cases_of(spec))


@pytest.mark.parametrize(
    ("expected", "actual", "message"),
    [
        ({"a": 1}, {"a": 1.0, "b": 2}, None),
        ({"a": {"b": [1, 2]}}, {"a": {"b": [1, 2], "c": 3}}, None),
        ({"a": 1}, {"b": 1}, "output lacks a; it has b"),
        ({"a": 1}, {}, "output lacks a; it has nothing"),
        ({"a": [1, 2]}, {"a": [1]}, "output.a has 1 elements, not 2"),
        ({"a": [{"n": 1}]}, {"a": [{"n": 2}]}, "output.a[0].n is 2, not 1"),
        ({"a": True}, {"a": 1}, "output.a is 1, not true"),
        ({"a": {}}, {"a": []}, "output.a is [], not an object"),
        ({"a": "x"}, {"a": None}, 'output.a is null, not "x"'),
    ],
)
def test_only_what_is_expected_is_compared(expected: Any, actual: Any, message: str | None) -> None:
    assert difference(expected, actual) == message


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@given(JSON)
def test_everything_is_as_expected_of_itself(value: Any) -> None:
    assert difference(value, json.loads(json.dumps(value))) is None


def test_places_keep_the_type_of_what_stands_there() -> None:
    places = {"http_port": 80, "scratch": "/s", "http_url": "http://h"}
    value = ["{http_port}", "p={http_port}", {"x": "{scratch}/a {other}"}, 5]
    assert filled(value, places) == [80, "p=80", {"x": "/s/a {other}"}, 5]
    assert places_in(value) == {"http_port", "scratch"}


def test_cases_are_examples_and_test_cases() -> None:
    found = cases(test_cases=[{"name": "two", "should_fail": True}])
    assert [(case.kind, case.example.name) for case in found] == [
        ("example", "one"),
        ("test_case", "two"),
    ]
    assert found[1].example.expected_status == "failed"
    assert Case.model_validate_json(found[0].model_dump_json(by_alias=True)) == found[0]


def test_what_cannot_or_must_not_run_is_skipped_with_the_reason() -> None:
    remote = {"kind": "command", "target": "far", "argv": ["dir"], "output": {"parser": "none"}}
    reasons = [
        reason_to_skip(cases(**pattern)[0], allow_system=False)
        for pattern in ({}, {"binding": None}, {"binding": remote}, {"effects": "system"})
    ]
    assert reasons == [
        None,
        "it has no binding",
        "it runs on the host of the connection far",
        "it changes the system; allow it with --allow-system",
    ]
    assert reason_to_skip(cases(effects="system")[0], allow_system=True) is None


def test_reports_count_and_hold_any_text() -> None:
    (case,) = cases()
    results = [
        Result.of(case, "passed", duration_s=1.25),
        Result.of(case, "failed", "not <this> & \x00\x1b[31m \ud800 that"),
        Result.of(case, "skipped", "it has no binding"),
    ]
    report = as_json(results)
    assert (report["ok"], report["passed"], report["failed"], report["skipped"]) == (False, 1, 1, 1)
    root = ElementTree.fromstring(as_junit(results))
    assert root.attrib["tests"] == "3"
    (suite,) = root
    assert (suite.attrib["failures"], suite.attrib["skipped"]) == ("1", "1")
    (failure,) = suite.iter("failure")
    assert failure.text == "not <this> & \ufffd\ufffd[31m \ufffd that"


def test_the_folder_is_served(tmp_path: Path) -> None:
    (tmp_path / "api").mkdir()
    (tmp_path / "api/list").write_text("[1]", encoding="utf-8")
    with served(["http"], tmp_path) as places:
        url = f"{places['http_url']}/api/list?limit=1"
        for data in (None, b"{}"):
            with urllib.request.urlopen(url, data=data, timeout=10) as answer:
                assert answer.read() == b"[1]"


def test_echo_and_names_are_served(tmp_path: Path) -> None:
    with served(["tcp", "udp", "dns"], tmp_path) as places:
        with socket.create_connection(("127.0.0.1", int(places["tcp_port"])), timeout=10) as tcp:
            tcp.sendall(b"hello")
            assert tcp.recv(10) == b"hello"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.settimeout(10)
            udp.sendto(b"hi", ("127.0.0.1", int(places["udp_port"])))
            assert udp.recv(10) == b"hi"
            question = b"\x12\x34\x01\x00\x00\x01" + bytes(6)
            known = question + b"\x07example\x04test\x00\x00\x01\x00\x01"
            udp.sendto(known, ("127.0.0.1", int(places["dns_port"])))
            assert udp.recv(512).endswith(bytes([127, 0, 0, 1]))
            unknown = question + b"\x05other\x04test\x00\x00\x01\x00\x01"
            udp.sendto(unknown, ("127.0.0.1", int(places["dns_port"])))
            assert udp.recv(512)[3] & 0x0F == 3
