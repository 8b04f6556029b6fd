"""`tool-catalog eval` and `condition` as programs use them: one line of JSON for each question."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tool_catalog_pipelines.settings import CHECKOUT, Settings, child_environment


def program(
    settings: Settings, *arguments: str, given: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    argv = [sys.executable, "-m", "tool_catalog_pipelines.cli.app", *arguments]
    environment = {**os.environ, **child_environment(settings)}
    return subprocess.run(
        argv, capture_output=True, input=given, timeout=120, env=environment, cwd=CHECKOUT,
        check=False,
    )  # fmt: skip


def batch(settings: Settings, command: str, lines: list[Any]) -> list[Any]:
    texts = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    done = program(settings, command, "--batch", given=b"\n".join(texts) + b"\n")
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_eval_answers_every_line(settings: Settings) -> None:
    found = batch(
        settings,
        "eval",
        [
            {"expr": "N * 2 + 1", "vars": {"N": 4}},
            {"expr": 7},
            {"expr": "N + pages"},
            {"expr": "1 / 0"},
            {"expr": "nope", "vars": {}},
            {"expr": "N", "vars": {"N": "5"}},
            {"expr": "N", "vars": {"N": True}},
            {"expr": "1 +", "vars": {}},
            {"expr": True},
            {"expression": "1"},
            {"expr": "1", "vars": [1]},
            b"{broken",
            b"\xff\xfe",
            b"",
            b"[1]",
            {"expr": "N", "vars": {"N": 1}, "tool": "linux/nope"},
            {"expr": "1 / (N - 1)", "vars": {"N": 3}, "ranges": {"N": [2, 5]}, "explain": True},
        ],
    )
    assert found[0] == {"value": 9.0}
    assert found[1] == {"value": 7.0}
    assert found[2] == {"value": 1.0, "defaults": {"N": 0.0, "pages": 1.0}}
    codes = [one["error"]["code"] for one in found[3:16]]
    assert codes == [
        "no_value", "unknown_name", "wrong_kind", "wrong_kind", "syntax", "bad_request",
        "bad_request", "bad_request", "bad_request", "bad_request", "bad_request", "bad_request",
        "not_found",
    ]  # fmt: skip
    assert found[7]["error"]["position"] == 4
    assert found[11]["error"]["position"] == 2  # {broken
    assert all(one["error"]["hint"] for one in found[8:16])
    assert found[16]["interval"] == {"low": 0.25, "high": 1.0}
    assert found[16]["variables"]["N"]["growth"] == "decreasing"
    assert found[16]["class"] == "general"
    assert found[16]["tree"]["parts"][0]["part"] == "1"


def test_eval_by_hand_says_value_defaults_and_explanation(settings: Settings) -> None:
    done = program(settings, "eval", " 10 + 2 * N + pages", "--var", "N=5", "--explain")
    assert done.returncode == 0
    assert done.stdout.decode().splitlines()[0] == "21.0"
    assert "N: increasing" in done.stdout.decode()
    assert "pages was not given; its default 1 was used" in done.stderr.decode()


def test_eval_with_a_tool_takes_its_variables(settings: Settings) -> None:
    folder = settings.catalog_dir / "tools" / "linux"
    folder.mkdir(parents=True)
    shutil.copy(CHECKOUT / "catalog_yaml" / "tools" / "linux" / "df.yaml", folder)
    asked = ("eval", "6 + 0.5 * num_filesystems", "--tool", "linux/df", "--json")
    found = program(settings, *asked, "--pattern", "disk_usage/list_filesystems")
    assert json.loads(found.stdout) == {"value": 11.0, "defaults": {"num_filesystems": 10.0}}
    assert (
        b"known: num_filesystems"
        in program(
            settings, "eval", "N", *asked[2:4], "--pattern", "disk_usage/list_filesystems"
        ).stderr
    )


def test_a_catalogue_that_cannot_be_read_costs_only_the_lines_that_need_it(
    settings: Settings,
) -> None:
    away = replace(
        settings, source="database", database_url="postgresql://nobody@127.0.0.1:1/nothing"
    )
    found = batch(away, "eval", [{"expr": "1", "tool": "linux/df"}, {"expr": "2"}])
    assert found[0]["error"]["code"] in ("unavailable", "failed")
    assert found[1] == {"value": 2.0}


@pytest.mark.parametrize(
    "arguments",
    [
        ("eval", "1 / 0"),
        ("eval", "2 * page"),
        ("eval", "N", "--var", "N=five"),
        ("eval", "N", "--var", "N"),
        ("eval", "N", "--var", "N=nan"),
        ("eval", "N", "--var", "N=1", "--var", "N=2"),
        ("eval", "N", "--explain", "--range", "N=1:2", "--range", "N=1:3"),
        ("eval", "N", "--explain", "--range", "N=9:1"),
        ("condition", "1 >"),
        ("eval",),
        ("eval", "N", "--pattern", "a/b"),
        ("condition", "x", "--context", "/nowhere/at/all.json"),
    ],
)
def test_bad_input_is_exit_code_2_with_one_error(
    settings: Settings, arguments: tuple[str, ...]
) -> None:
    done = program(settings, *arguments, "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"].keys() >= {"code", "message"}
    by_hand = program(settings, *arguments)
    assert by_hand.returncode == 2
    assert by_hand.stdout == b""
    assert b"Traceback" not in by_hand.stderr


def test_condition_says_what_decided(settings: Settings, tmp_path: Path) -> None:
    context = tmp_path / "context.json"
    context.write_text('{\n  "use": 0.97,\n}', encoding="utf-8")
    broken = program(settings, "condition", "use", "--context", str(context), "--json")
    assert broken.returncode == 2
    error = json.loads(broken.stdout)["error"]
    assert error["code"] == "bad_request"
    assert "context.json" in error["message"]
    assert error["position"] in range(15, 19)  # Pythons name the comma or what follows it
    context.write_text('{"use": 0.97}', encoding="utf-8")
    done = program(
        settings, "condition", "use >= 95% and $.x > 1", "--context", str(context), "--explain"
    )
    assert done.returncode == 0
    assert done.stdout.decode().splitlines()[0].startswith("unknown: $.x is missing")
    assert "(not decisive)" in done.stdout.decode()
    context.write_text('{"use": "1"}', encoding="utf-8")
    text = program(settings, "condition", "use > 0", "--context", str(context), "--explain")
    assert "  use  ->  '1'" in text.stdout.decode().splitlines()


def test_condition_answers_every_line(settings: Settings) -> None:
    found = batch(
        settings,
        "condition",
        [
            {"condition": "N > 50", "context": {"N": 51}},
            {"condition": "N > 50", "context": {}},
            {"condition": "", "context": {}},
            {"condition": "N >", "context": {}},
            {"condition": 5},
            {"condition": "a", "context": []},
            {"condition": "big > 1", "context": {"big": 10**400}, "explain": True},
        ],
    )
    assert found[0] == {"value": True, "because": "N is 51, which is > 50"}
    assert [one["value"] for one in found[:3]] == [True, None, True]
    assert [one["error"]["code"] for one in found[3:6]] == ["syntax", "bad_request", "bad_request"]
    assert found[6]["value"] is True


def test_the_rules_of_conditions_hold_for_the_command(settings: Settings) -> None:
    """One process, every rule: missing, one, many, percent, precedence, Kleene, limits."""
    slow = "a" * 60 + "b"
    expected: list[tuple[str, Any, bool | None]] = [
        ("$.a.b > 1", {"a": {}}, None),
        ("exists($.a.b)", {"a": {}}, False),
        ("$.a[*].x == 3", {"a": [{"x": 3}]}, True),
        ("$.a[*].x == [3, 4]", {"a": [{"x": 3}, {"x": 4}]}, True),
        ("95% == 0.95 and use >= 95%", {"use": 0.951}, True),
        ("true or false and false", {}, True),
        ("(true or false) and false", {}, False),
        ("not 1 == 2 and 2 + 3 * 2 ** 2 == 14", {}, True),
        ("-0.5", {}, True),
        ("0", {}, False),
        ("absent and false", {}, False),
        ("absent or true", {}, True),
        ("absent or false", {}, None),
        ("not absent", {}, None),
        ("N > 50", {"N": "60"}, None),
        ("log(8, 2) == 3 and ceil(N / 7) in [9, 'x']", {"N": 60}, True),
        ("matches_regex(t, '(a|aa)+$') or true", {"t": slow}, True),
        ("matches_regex(t, '(a|aa)+$')", {"t": slow}, None),
    ]
    lines = [{"condition": text, "context": context} for text, context, _ in expected]
    found = batch(settings, "condition", lines)
    assert [(line["condition"], one["value"]) for line, one in zip(lines, found, strict=True)] == [
        (text, value) for text, _, value in expected
    ]
    assert "the time limit was hit" in found[-1]["because"]


def test_eval_explains_what_it_does_not_know(settings: Settings) -> None:
    found = batch(
        settings,
        "eval",
        [
            {"expr": "N * pages", "vars": {"pages": 2}, "explain": True},
            {"expr": "N * pages", "vars": {"pages": 2, "N": 3}, "explain": True},
            {"expr": "100 / pages", "ranges": {"pages": [1, 4]}, "explain": True},
            {"expr": "1 / pages", "explain": True},
            {"expr": "2 * 3", "explain": True},
            {"expr": "+".join("1" * 25)},
            {"expr": f"({'+'.join('1' * 12)}) + ({'+'.join('1' * 13)})"},
        ],
    )
    assert found[0]["interval"] == {"low": 0.0, "high": 2e12}  # N took its default
    assert found[0]["defaults"] == {"N": 0.0}
    assert found[0]["variables"]["N"] == {
        "growth": "increasing", "range": [0.0, 1e12], "unit": "items",
    }  # fmt: skip
    assert found[1]["interval"] == {"low": 6.0, "high": 6.0}
    assert found[1]["free_variables"] == ["N", "pages"]
    assert found[2]["interval"] == {"low": 25.0, "high": 100.0}
    assert found[2]["variables"]["pages"]["growth"] == "decreasing"
    assert found[3]["interval"] == {"reason": "the divisor is 0 to 1e+12, also zero"}
    assert (found[4]["class"], found[4]["variables"]) == ("constant", {})
    assert (found[5]["error"]["code"], found[6]) == ("limit", {"value": 25.0})
    assert "(a + b + c) + (d + e + f)" in found[5]["error"]["hint"]


def test_the_keys_and_codes_are_documented() -> None:
    from typing import get_args

    from tool_catalog_pipelines.cli.expression_answers import CONDITION_KEYS, EVAL_KEYS
    from tool_catalog_pipelines.cli.fields import BAD_REQUEST
    from tool_catalog_pipelines.expressions.errors import Code

    text = (CHECKOUT / "docs/cli.md").read_text(encoding="utf-8")
    words = (*EVAL_KEYS, *CONDITION_KEYS, *get_args(Code), BAD_REQUEST)
    assert [word for word in words if f"`{word}`" not in text] == []


@pytest.mark.parametrize(
    "command", [("eval", "1 + 1"), ("condition", "1 < 2"), ("selection", "rank", "{}")]
)
def test_an_argument_beside_a_batch_is_refused(command: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tool_catalog_pipelines.cli.app", *command, "--batch"],
        input="",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{command[-1]!r} would not be read" in " ".join(done.stderr.split())
