"""Batches of the selection with wrong, huge and broken lines: each is answered, none ends it.

Does not belong here: whether right answers are right (test_selector_oracle.py).
"""

from __future__ import annotations

import copy
import json
import os
import random
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest

from tool_catalog_pipelines.cli.selection_answers import MAX_CANDIDATES

Command = tuple[str, ...]
DEADLINE_S = 300
PARTS = {"code", "message", "position", "hint", "problems"}
RIGHT: dict[Command, Any] = {
    ("eval",): {"expr": "N + 1", "vars": {"N": 1}, "ranges": {"N": [1, 2]}, "explain": True},
    ("condition",): {"condition": "N > 5 and contains(a, 'x')", "context": {"N": 1, "a": "b"}},
    ("selection", "preference"): {"query": "quick", "mode": "fast"},
    ("selection", "context"): {"query": "all", "metadata": {"asset_count": 1}},
    ("selection", "rank"): {
        "weights": {"time": 0.5, "cost": 0.5},
        "candidates": {"a": {"time_ms": 5, "cost": 1}, "b": {"accuracy": 0.5}},
        "normalised": False,
    },
    ("selection", "policy"): {
        "config": {"max_cost": 1, "environment": "production", "available_permissions": ["read"]},
        "pattern": {
            "cost": 1,
            "requires_background_if": "N > 5",
            "max_N_immediate": 5,
            "production_safe": True,
        },
        "context": {"N": 1},
    },
    ("select",): {"capability": "look", "var": {"N": 1}, "permissions": ["read"], "max_cost": 1},
    ("assign",): {"experiment": "none", "unit": "u", "user": "x", "environment": "production"},
    ("chain", "order"): {"steps": [["a", ["b*"]], ["b", []]]},
}
VALUES: list[Any] = [
    None, True, False, 0, -1, 1.5, 1e308, -1e308, 5e-324, 10**400, "", " ", "x", "1", "N > 5",
    "1 +", "1 / 0",
    "\u202e\x1b[31m", "\x00", "\ud800", [], [1], ["a"], [[]], {}, {"a": 1}, "a" * 5000,
    float("nan"), float("inf"), -float("inf"),
]  # fmt: skip
BROKEN = [
    b"", b"{", b"[]", b"5", b"null", b"{'a': 1}", b'{"a": 1,}', b"[" * 100_000, b'{"a":' * 100_000,
    b"\xff\xfe{", b'{"a": "\x80"}', b"\x00", b"\xef\xbb\xbf", b'{"' + b"x" * 5_000_000 + b'": 1}',
    b'{"a": 1, "a": 2}', b'{"a": 1e999}', b'{"a": ' + b"9" * 5000 + b"}",
]  # fmt: skip


def answered(command: Command, lines: list[bytes], home: Path) -> list[Any]:
    """The answer to each line; the last line has no line end."""
    (home / "catalogue").mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "tool_catalog_pipelines.cli.app", *command, "--batch"],
        env={
            **os.environ,
            "TOOL_CATALOG_HOME": str(home),
            "TOOL_CATALOG_YAML_DIR": str(home / "catalogue"),
            "TOOL_CATALOG_SOURCE": "yaml",
        },
        input=b"\n".join(lines),
        capture_output=True,
        check=False,
        timeout=DEADLINE_S,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    found = [json.loads(line, parse_constant=refused) for line in done.stdout.splitlines()]
    assert len(found) == len(lines)
    return found


def refused(name: str) -> float:
    raise AssertionError(f"{name} is no JSON")


def spoiled(rng: random.Random, document: Any) -> Any:
    """The document with some values replaced, removed or added."""
    made = copy.deepcopy(document)
    for _ in range(rng.randint(1, 2)):
        at: Any = made
        while True:
            keys: list[Any] = list(at) if isinstance(at, dict) else list(range(len(at)))
            if isinstance(at, dict) and (not keys or rng.random() < 0.1):
                cast("dict[str, Any]", at)["more"] = rng.choice(VALUES)
                break
            if not keys:
                break
            key = rng.choice(keys)
            if at[key] and isinstance(at[key], dict | list) and rng.random() < 0.7:
                at = at[key]
                continue
            at[key] = copy.deepcopy(rng.choice(VALUES))
            break
    return made


def assert_declared(line: bytes, answer: Any) -> None:
    assert isinstance(answer, dict)
    error = cast("dict[str, Any]", answer).get("error")
    if error is None:
        return
    assert {"code", "message"} <= set(error) <= PARTS, line[:200]
    assert error["code"] != "internal", (line[:200], error)


@pytest.mark.parametrize("command", RIGHT, ids=" ".join)
@pytest.mark.parametrize("count", [400, pytest.param(20_000, marks=pytest.mark.slow)])
def test_every_line_has_an_answer_or_a_declared_error(
    command: Command, count: int, tmp_path: Path
) -> None:
    rng = random.Random(f"{command}")
    right = json.dumps(RIGHT[command]).encode()
    lines = [json.dumps(spoiled(rng, RIGHT[command])).encode() for _ in range(count)]
    for broken in BROKEN:
        lines.insert(rng.randrange(len(lines)), broken)
    found = answered(command, [right, *lines, right], tmp_path)
    for line, answer in zip(lines, found[1:-1], strict=True):
        assert_declared(line, answer)
        if line in BROKEN:
            assert "error" in answer, line[:80]
    assert found[0] == found[-1]


@pytest.mark.parametrize(("arguments", "code"), [(["--batch"], 0), (["--json"], 2)])
def test_a_closed_input_is_an_empty_one(arguments: list[str], code: int) -> None:
    program = shlex.join([sys.executable, "-m", "tool_catalog_pipelines.cli.app"])
    line = f"{program} selection rank {shlex.join(arguments)} <&-"
    done = subprocess.run(["sh", "-c", line], capture_output=True, check=False, timeout=DEADLINE_S)
    assert (done.returncode, done.stderr) == (code, b"")
    assert bool(done.stdout) is (code == 2)


def test_ten_thousand_of_everything_is_answered(tmp_path: Path) -> None:
    many, rivals = range(10_000), range(MAX_CANDIDATES)
    documents: list[tuple[Command, Any]] = [
        (
            ("selection", "rank"),
            {"candidates": {f"é{n}": {"time_ms": 40 - n / 1e4} for n in rivals}},
        ),
        (("selection", "rank"), {"candidates": {f"c{n}": {"cost": n, "x": n} for n in rivals}}),
        (
            ("selection", "rank"),
            {"candidates": {n: {"time_ms": n / 1e4, "cost": -n} for n in rivals}},
        ),
        (("chain", "order"), {"steps": [[f"s{n}", [f"s{n - 1}"] if n else []] for n in many]}),
        (("chain", "order"), {"steps": [[f"s{n}", [f"s{n ^ 1}"]] for n in many]}),
        (("chain", "order"), {"steps": [["s", ["s*", "x"]] for _ in many]}),
        (("chain", "order"), {"steps": [["s", ["*" * 1_000_000]], *([f"a{n}", []] for n in many)]}),
        (("chain", "order"), {"steps": [["a" * 1000 + f"{n}", [f"*b{n}*"]] for n in range(3000)]}),
    ]
    for command, document in documents:
        (answer,) = answered(command, [json.dumps(document).encode()], tmp_path)
        assert_declared(b"", answer)
        if "order" in answer:
            assert len(answer["order"]) in (0, 1, len(rivals), len(many), len(many) + 1)
