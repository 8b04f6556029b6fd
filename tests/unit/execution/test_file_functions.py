"""Functions that read files: profiles of CSV files, checksums of folders."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from tool_catalog_pipelines.execution.context import AttemptError
from tool_catalog_pipelines.execution.functions import files as files_module
from tool_catalog_pipelines.execution.functions.files import checksum_manifest, csv_profile
from tool_catalog_pipelines.execution.python_functions import FunctionContext

CONTEXT = FunctionContext(Path("/w"), Path("/r"), "run", "chain", "step")


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "table.csv"


def test_columns_are_profiled(table: Path) -> None:
    text = '\ufeffid,price,note,void\n1,1e3,"a,b",\n-2,nan,"x\ny",\n+3,,,\n'
    table.write_text(text, encoding="utf-8")
    answer = csv_profile(CONTEXT, str(table))
    assert (answer["rows"], answer["uneven_rows"], answer["is_complete"]) == (3, 0, True)
    number, price, note, void = answer["columns"]
    assert number == {
        "name": "id", "kind": "integer", "filled": 3, "empty": 0, "distinct": 3,
        "smallest": -2, "largest": 3,
    }  # fmt: skip
    assert (price["kind"], price["filled"], price["smallest"]) == ("text", 2, None)
    assert (note["kind"], note["filled"], note["empty"]) == ("text", 2, 1)
    assert (void["kind"], void["distinct"]) == ("empty", 0)


def test_rows_of_another_length_are_counted(table: Path) -> None:
    table.write_text("a;b\n1;2\n3\n4;5;6\n", encoding="utf-8")
    answer = csv_profile(CONTEXT, str(table), ";")
    assert (answer["rows"], answer["uneven_rows"]) == (3, 2)
    assert [column["filled"] for column in answer["columns"]] == [3, 2]


def test_reading_stops_at_the_limit(table: Path) -> None:
    table.write_text("a\n1\n2\n3\n", encoding="utf-8")
    assert csv_profile(CONTEXT, str(table), max_rows=2)["is_complete"] is False
    answer = csv_profile(CONTEXT, str(table), max_rows=3)
    assert (answer["rows"], answer["is_complete"]) == (3, True)


def test_different_values_are_counted_up_to_a_limit(
    table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files_module, "MAX_DISTINCT", 5)
    table.write_text("a\n" + "".join(f"{n}\n" for n in range(20)), encoding="utf-8")
    assert csv_profile(CONTEXT, str(table))["columns"][0]["distinct"] == 5


def test_an_empty_file_has_no_columns(table: Path) -> None:
    table.touch()
    answer = csv_profile(CONTEXT, str(table))
    assert (answer["rows"], answer["columns"]) == (0, [])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a\n\xff\n", "cannot be read as CSV"),
        (b'a\n"' + b"x" * 200_000 + b'"\n', "cannot be read as CSV"),
        (b"," * 2000 + b"\n", "2001 columns"),
    ],
)
def test_what_is_no_table_is_refused(table: Path, content: bytes, said: str) -> None:
    table.write_bytes(content)
    with pytest.raises(AttemptError, match=said):
        csv_profile(CONTEXT, str(table))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (root / "b").write_bytes(b"bb")
    (root / "sub/a").write_bytes(b"a")
    (root / "link").symlink_to("b")
    (root / "elsewhere").symlink_to("/")
    os.mkfifo(root / "pipe")
    return root


def test_every_regular_file_has_its_checksum(folder: Path) -> None:
    answer = checksum_manifest(CONTEXT, str(folder))
    assert answer["files"] == [
        {"path": "b", "bytes": 2, "sha256": hashlib.sha256(b"bb").hexdigest()},
        {"path": "sub/a", "bytes": 1, "sha256": hashlib.sha256(b"a").hexdigest()},
    ]
    assert (answer["total_bytes"], answer["unreadable"]) == (3, [])
    assert answer["changes"] == {"added": [], "removed": [], "changed": []}


def test_changes_since_a_baseline_are_found(folder: Path) -> None:
    baseline = checksum_manifest(CONTEXT, str(folder))["files"]
    (folder / "b").write_bytes(b"BB")
    (folder / "sub/a").unlink()
    (folder / "sub/c").touch()
    changes = checksum_manifest(CONTEXT, str(folder), baseline)["changes"]
    assert changes == {"added": ["sub/c"], "removed": ["sub/a"], "changed": ["b"]}
    assert checksum_manifest(CONTEXT, str(folder), [])["changes"]["added"] == ["b", "sub/c"]


def test_a_file_that_vanishes_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def vanished(path: Path) -> str:
        raise FileNotFoundError(path)

    monkeypatch.setattr(files_module, "_digest", vanished)
    answer = checksum_manifest(CONTEXT, str(folder))
    assert (answer["files"], answer["unreadable"]) == ([], ["b", "sub/a"])
    assert answer["total_bytes"] == 0


def test_large_folders_and_files_are_refused(folder: Path) -> None:
    with pytest.raises(AttemptError, match="more than 1 files; raise max_files"):
        checksum_manifest(CONTEXT, str(folder), max_files=1)
    with pytest.raises(AttemptError, match="more than 0 MiB; raise max_mib"):
        checksum_manifest(CONTEXT, str(folder), max_mib=0)
    with pytest.raises(AttemptError, match="is no folder"):
        checksum_manifest(CONTEXT, str(folder / "b"))


def test_a_cancelled_run_stops_reading(
    folder: Path, table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files_module, "is_cancelled", lambda: True)
    table.write_text("a\n1\n", encoding="utf-8")
    for call in (
        lambda: checksum_manifest(CONTEXT, str(folder)),
        lambda: csv_profile(CONTEXT, str(table)),
    ):
        with pytest.raises(AttemptError) as caught:
            call()
        assert caught.value.status == "cancelled"
