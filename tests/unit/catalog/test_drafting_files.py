"""Files of answers and drafts: nothing wrong is taken, nothing is lost, nothing crashes."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tool_catalog_pipelines.catalog.drafting.answers_file import spec_from
from tool_catalog_pipelines.catalog.drafting.known import FunctionFacts, Known, Parameter
from tool_catalog_pipelines.catalog.drafting.questions import known_keys
from tool_catalog_pipelines.catalog.drafting.storage import DraftFile, find_draft, read_draft
from tool_catalog_pipelines.errors import InvalidInputError
from tool_catalog_pipelines.spec.load import tool_from_value
from tool_catalog_pipelines.spec.reader import read_document
from tool_catalog_pipelines.spec.tool import ToolSpec

KNOWN = Known(functions={"count": FunctionFacts("Counts", (Parameter("rows", "array"),))})
RIGHT = {
    "tool_name": "count_words",
    "description": "Counts the words of a file",
    "argv": ["wc", "-w", "--", "{file}"],
    "use_cases": ["how long is a text"],
    "effects": "read",
}
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=8),
    st.sampled_from(["{file}", "command", "http", "python", "count", "POST", "[", "array"]),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["file", "type", "inputs", "files", "parser", "if", "then", "x"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


def made_of(answers: object) -> ToolSpec:
    return spec_from(read_document(json.dumps(answers), "answers.yaml"), KNOWN)


def problems_of(answers: object) -> str:
    with pytest.raises(InvalidInputError) as caught:
        made_of(answers)
    return str(caught.value)


@given(st.dictionaries(st.sampled_from([*sorted(known_keys()), "other"]), VALUES, max_size=5))
def test_any_file_makes_a_valid_tool_or_says_what_is_wrong(changes: dict[str, object]) -> None:
    try:
        spec = made_of(RIGHT | changes)
    except InvalidInputError as error:
        assert all(problem.message and problem.position for problem in error.problems)
        return
    document = spec.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    assert tool_from_value(document, "again") == spec


def test_what_is_left_out_gets_the_default() -> None:
    spec = made_of(RIGHT)
    assert (spec.platform, spec.version, spec.category) == ("linux", "1.0.0", "system")
    (pattern,) = spec.patterns
    assert pattern.time_estimate_ms == "20 + 0.05 * num_lines"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"argv": "wc -w {file} | sort"}, "no shell reads this line"),
        ({"argv": None}, "an answer is needed"),
        ({"description": 5}, ""),
        ({"version": "2.0"}, "'version' is not asked after these answers"),
        ({"url": "https://x.test"}, "'url' is not asked after these answers"),
        ({"inputs": {"fiel": {"type": "string"}}}, "no question is called 'inputs.fiel'"),
        ({"inputs": {"file": {"typ": "string"}}}, "no question is called 'inputs.file.typ'"),
        ({"inputs": 5}, "'inputs' holds other answers, so it must be a mapping"),
        ({"colour": "red"}, "no question is called 'colour'"),
        ({"example": {"inputs": {"other": 1}}}, "gives 'other', which is not declared"),
        ({"example": {"inputs": {"other": 1}}}, "lacks the required input 'file'"),
        ({"effects": None}, "an answer is needed"),
    ],
)
def test_wrong_answers_of_a_file(changes: dict[str, object], said: str) -> None:
    if said:
        assert said in problems_of(RIGHT | changes)
    else:
        assert made_of(RIGHT | changes).description == "5"


def test_missing_answers_are_all_named() -> None:
    said = problems_of({"platform": "linux"})
    for key in ("tool_name", "description", "argv", "use_cases"):
        assert f"'{key}' is missing" in said


def test_draft_is_private_follows_the_name_and_is_read_back(tmp_path: Path) -> None:
    folder = tmp_path / "drafts"
    draft = DraftFile(folder)
    draft.keep({"tool_name": "first"}, {})
    draft.keep({}, {"tool_name": "first"})
    draft.keep({"tool_name": "second", "platform": "linux"}, {"kind": "http"})
    (path,) = folder.iterdir()
    assert path.name == "second.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    kept = read_draft(find_draft(folder, None))
    assert kept.answers == {"tool_name": "second", "platform": "linux"}
    assert kept.remembered == {"kind": "http"}
    draft.remove()
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[]", b"\xff\xfe", b'{"format": 1}', b"[" * 100_000,
        b'{"format": 2, "answers": {}, "remembered": {}}',
        b'{"format": 1, "answers": [], "remembered": {}}',
    ],
)  # fmt: skip
def test_damaged_draft_is_said_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "mine.json"
    path.write_bytes(content)
    with pytest.raises(InvalidInputError, match="damaged"):
        read_draft(path)
    assert path.read_bytes() == content


def test_draft_that_cannot_be_named_is_not_looked_for_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "outside.json").write_text("{}")
    folder = tmp_path / "drafts"
    folder.mkdir()
    with pytest.raises(InvalidInputError, match="no draft"):
        find_draft(folder, "../outside")
