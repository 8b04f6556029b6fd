"""What strangers write and tired operators type: refused with its place, printed without effect.

Every command runs as a process of its own with a bound on its memory, and ends within the time
limit of the test.
"""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from factories import (
    make_experiment,
    make_input,
    make_pattern,
    make_snapshot,
    make_tool,
    make_tool_spec,
)

from tool_catalog_pipelines.catalog import history
from tool_catalog_pipelines.catalog.connect import Catalog, open_catalog
from tool_catalog_pipelines.catalog.export import export_bundle, export_files
from tool_catalog_pipelines.catalog.import_files import importable_files, read_candidates
from tool_catalog_pipelines.catalog.importer import import_catalog
from tool_catalog_pipelines.catalog.sources import installed_snapshot
from tool_catalog_pipelines.cli.harmless import harmless, harmless_json, one_line
from tool_catalog_pipelines.errors import InvalidInputError, NotFoundError, TerminalError
from tool_catalog_pipelines.expressions.regexes import Deadline, SlowRegexError, search
from tool_catalog_pipelines.settings import Settings, child_environment
from tool_catalog_pipelines.spec.base import parse_tool_ref as ref
from tool_catalog_pipelines.spec.check_inputs import regex_problem
from tool_catalog_pipelines.spec.load import tool_of
from tool_catalog_pipelines.spec.reader import read_document

MEMORY_BYTES = 1_500_000_000
"""Of address space; the program alone takes about half of it."""
TIME_LIMIT_S = 120
ESCAPE = "\x1b[31m"
REVERSED = "\u202e"
TERMINAL_ACTS_ON = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
GOOD = """tool_name: good
platform: linux
version: 1.0.0
category: system
description: {description}
capabilities:
  use:
    description: Something
    patterns:
      run:
        description: Something
metadata: {metadata}
"""


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Done]


@pytest.fixture
def run(settings: Settings) -> Run:
    """Runs a command with bounds; whatever happens, there is no traceback."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))

    def call(*arguments: str | bytes, **environment: str) -> Done:
        ended = subprocess.run(
            [sys.executable, "-m", "tool_catalog_pipelines.cli.app", *arguments],
            capture_output=True,
            env={**os.environ, **child_environment(settings), **environment},
            preexec_fn=limit,
            timeout=TIME_LIMIT_S,
            check=False,
        )
        done = Done(ended.returncode, ended.stdout.decode(), ended.stderr.decode())
        assert "Traceback" not in done.err, done.err[-3000:]
        assert not TERMINAL_ACTS_ON.search(done.out + done.err), ascii(done.out + done.err)
        return done

    return call


def good(description: str = "Plain", metadata: str = "{}") -> bytes:
    return GOOD.format(description=description, metadata=metadata).encode()


def with_pattern(**more: Any) -> bytes:
    spec = make_tool_spec("linux/slow@1.0.0").model_dump(mode="json", by_alias=True)
    spec = {key: value for key, value in spec.items() if key != "owner"}
    spec["capabilities"]["use"]["patterns"]["run"] = make_pattern(**more)
    return yaml.safe_dump(spec).encode()


def bomb(levels: int = 12) -> bytes:
    first = "a0: &a0 [x, x, x, x, x, x, x, x, x]"
    more = (f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 9)}]" for n in range(levels))
    return "\n".join((first, *more)).encode()


NAME = b"tool_name: good"
HOSTILE: dict[str, bytes] = {
    "alias_bomb.yaml": bomb(),
    "anchor_of_itself.yaml": b"a: &a [*a]\n",
    "deep_flow.yaml": b"a: " + b"[" * 10_000,
    "deep_block.yaml": b"".join(b" " * n + b"a:\n" for n in range(900)),
    "deep_sequence.yaml": b"- " * 10_000,
    "deep_questions.yaml": b"? " * 10_000,
    "deep.json": b'{"a":' * 10_000,
    "deep_closed.json": b"[" * 10_000 + b"]" * 10_000,
    "huge_scalar.yaml": b"tool_name: " + b"a" * 50_000_000,
    "huge_quoted.yaml": b'tool_name: "' + b"\\n" * 1_900_000 + b'"',
    "huge.json": b'{"a": "' + b"a" * 50_000_000 + b'"}',
    "long_scalar.yaml": good("a" * 3_000),
    "many_keys.yaml": b"".join(b"k%d: 1\n" % n for n in range(300_000)),
    "many_values.json": b"[" + b"1," * 3_000_000 + b"1]",
    "python_object.yaml": good('!!python/object/apply:os.system ["touch /tmp/owned"]'),
    "python_name.yaml": b"!!python/name:os.system : x\n",
    "other_tag.yaml": good("!secret x"),
    "tag_directive.yaml": b"%TAG ! tag:x,2000:\n---\n" + good(),
    "merge_key.yaml": b"a: &a {x: 1}\nb:\n  <<: *a\n",
    "twice.yaml": good() + b"version: 2.0.0\n",
    "twice.json": b'{"tool_name": "a",\n "tool_name": "b"}',
    "zero.yaml": good().replace(b"Plain", b"Pl\0ain"),
    "zero_escape.yaml": good('"a\\0b"'),
    "zero_escape.json": b'{"tool_name": "a\\u0000b"}',
    "surrogate.yaml": good('"\\ud800"'),
    "surrogate.json": b'{"tool_name": "\\ud800"}',
    "raw_surrogate.yaml": good().replace(b"Plain", b"\xed\xa0\x80"),
    "utf16.yaml": good().decode().encode("utf-16"),
    "utf16_unmarked.yaml": good().decode().encode("utf-16-le"),
    "utf32.yaml": good().decode().encode("utf-32"),
    "latin1.yaml": good("Ger\u00e4t").decode().encode("latin-1"),
    "second_mark.yaml": b"\xef\xbb\xbf\xef\xbb\xbf" + good(),
    "tabs.yaml": good().replace(b"  use:", b"\tuse:"),
    "escape.yaml": good().replace(b"Plain", ESCAPE.encode()),
    "infinity.yaml": good(metadata="{a: .inf}"),
    "many_digits.yaml": good(metadata=f"{{a: {'9' * 5_000}}}"),
    "many_digits.json": b'{"a": ' + b"9" * 100_000 + b"}",
    "exponent.json": b'{"a": 1e99999}',
    "not_a_number.json": b'{"a": NaN}',
    "path_in_name.yaml": good().replace(NAME, b"tool_name: ../../etc/cron.d/x"),
    "absolute_name.yaml": good().replace(NAME, b"tool_name: /etc/passwd"),
    "path_in_version.yaml": good().replace(b"1.0.0", b"1.0.0-../../x"),
    "path_in_platform.yaml": good().replace(b"linux", b"../linux"),
    "sql_in_name.yaml": good().replace(NAME, b'tool_name: "x\'; DROP TABLE tools; --"'),
    "control_in_name.yaml": good().replace(NAME, b'tool_name: "a\\x1b[31mb"'),
    "reversed_name.yaml": good().replace(NAME, b'tool_name: "a\\u202eb"'),
    "raw_reversed_name.yaml": good().replace(NAME, f"tool_name: a{REVERSED}b".encode()),
    "long_name.yaml": good().replace(NAME, b"tool_name: " + b"a" * 300),
    "cyrillic_name.yaml": good().replace(NAME, "tool_name: g\u043e\u043ed".encode()),
    "newline_in_name.yaml": good().replace(NAME, b'tool_name: "good\\n"'),
    "invisible_key.yaml": good(metadata='{"a\\u200bb": 1}'),
    "slow_regex.yaml": with_pattern(
        binding=None,
        required_inputs=[
            make_input("a", validation="^(([a-z])+.)+[A-Z]([a-z])+$", default="aA" * 40_000)
        ],
    ),
    "regex_bomb.yaml": with_pattern(
        binding=None,
        required_inputs=[make_input("a", validation="(((a{100}){100}){100}){100}", default="a")],
    ),
    "cut_off.yaml": good()[:-3] + b'{"a',
    "empty.yaml": b"",
    "binary.yaml": bytes(range(256)) * 100,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_with_their_place(name: str, run: Run, home: Path) -> None:
    (home / name).write_bytes(HOSTILE[name])
    done = run("validate", str(home / name))
    assert done.code == 2
    assert re.match(rf"{re.escape(name)}:\d+:\d+: \S", done.err), done.err
    assert len(done.err) < 60_000


def test_hostile_files_never_stop_the_good_one(run: Run, home: Path) -> None:
    folder = home / "world"
    folder.mkdir()
    for name, content in HOSTILE.items():
        (folder / name).write_bytes(content)
    (folder / "good.yaml").write_bytes(good())
    done = run("import", str(folder), "--json")
    assert done.code == 2
    report = done.document
    assert [line["what"] for line in report["imported"]] == ["linux/good@1.0.0"]
    refused = {entry["file"]: entry["problems"] for entry in report["refused"]}
    assert refused.keys() == HOSTILE.keys()
    for problems in refused.values():
        assert all(problem["line"] and problem["column"] for problem in problems)


def test_what_is_odd_but_right_is_taken(run: Run, home: Path) -> None:
    windows = b"\xef\xbb\xbf" + good('"a:smile: [/red] [bold]x"').replace(b"\n", b"\r\n")
    (home / "windows.yaml").write_bytes(windows)
    assert run("import", str(home / "windows.yaml"), "--json").code == 0
    assert "a:smile: [/red] [bold]x" in run("list").out
    assert "a:smile: [/red] [bold]x" in run("get", "good").out


TEXT = f'"{ESCAPE}red\\u009b0m {REVERSED}exe.txt \\a \\u2028 [/x] :smile:"'.replace(
    ESCAPE, "\\e[31m"
).replace(REVERSED, "\\u202e")


def test_nothing_that_is_printed_acts_on_the_terminal(run: Run, home: Path) -> None:
    folder = home / "world"
    folder.mkdir()
    (folder / "good.yaml").write_bytes(good(TEXT, f"{{tags: [{TEXT}]}}"))
    (folder / f"bad{ESCAPE}{REVERSED}\nfake.yaml:1:1: all is well.yaml").write_bytes(b"a: [")
    (folder / os.fsdecode(b"caf\xe9.yaml")).write_bytes(b"a: [")
    for asked in ([], ["--json"]):
        assert run("import", str(folder), "--dry-run", *asked).code == 2
        assert run("validate", str(folder), *asked).code == 2
    assert "caf\\xe9.yaml" in run("import", str(folder)).err
    assert run("update", "good", "--set", "owner=ann", "--reason", f"why{ESCAPE}").code == 0
    shown = run("get", "good").out
    assert "\\u202eexe.txt" in shown
    wanted = "\x1b[31mred\x9b0m \u202eexe.txt \x07 \u2028 [/x] :smile:"
    assert yaml.safe_load(shown.partition("\n# estimates")[0])["description"] == wanted
    assert run("get", "good", "--json").document["spec"]["description"] == wanted
    for command in ("list", "diff good 1.0.0", "versions good", "audit", "export -o"):
        words = [*command.split(), *([str(home / "out")] if "export" in command else [])]
        assert run(*words).code == 0
        assert run(*words, "--json").document
    assert run("list", "--json", PYTHONIOENCODING="ascii").document
    assert run("list", PYTHONIOENCODING="ascii").code == 0


def test_texts_are_made_harmless_without_losing_anything() -> None:
    hostile = "".join(map(chr, range(0x20, 0x3000))) + "\U000e0041\U0001f600\n\x1b"
    assert not TERMINAL_ACTS_ON.search(harmless(hostile))
    assert one_line("a\nb\tc") == "a\\nb\\tc"
    assert harmless("a\nb\u200dc \u00e9 \u0645") == "a\nb\u200dc \u00e9 \u0645"
    document = json.dumps({hostile: hostile}, ensure_ascii=False)
    assert json.loads(harmless_json(document)) == {hostile: hostile}


TYPED: dict[str, tuple[list[str | bytes], int]] = {
    "no version": (["update", "good", "--set", "owner=x", "--expect", "soon"], 1),
    "long version": (["update", "good", "--set", "owner=x", "--expect", "9" * 5000], 1),
    "superscript": (["rollback", "good", "--estimate", "use/run@\u00b2"], 2),
    "large revision": (["rollback", "good", "--estimate", f"use/run@{10**20}"], 2),
    "large limit": (["audit", "--limit", str(10**30)], 2),
    "reason": (["disable", "good", "--reason", b"\xff"], 2),
    "search": (["audit", "--text", b"\xff"], 2),
    "subject": (["audit", b"\xff"], 2),
    "reference": (["get", "good\n"], 2),
    "bytes": (["get", b"\xff"], 2),
    "value": (["update", "good", "--set", b"owner=\xff"], 2),
    "deep value": (["update", "good", "--set", f"metadata.a={'[' * 100_000}"], 2),
    "less deep": (["update", "good", "--set", f"metadata.a={'[' * 99 + ']' * 99}"], 2),
    "not a number": (["update", "good", "--set", "metadata.a=NaN"], 2),
    "endless patch": (["update", "good", "--patch", "/dev/zero"], 2),
    "no such file": (["import", "/nowhere"], 2),
    "device": (["import", "/dev/zero"], 2),
    "into a file": (["export", "-o", "{good}/x"], 1),
    "bundle into a file": (["export", "--bundle", "-o", "{good}/x.yaml"], 1),
    "schema into a file": (["schema", "tool", "-o", "{good}/x"], 1),
    "proposals into a file": (["discover", "-o", "{good}"], 1),
    "audit into a full disk": (["audit", "--output", "/dev/full"], 1),
    "no channel": (["promote", "good", "--channel", "latest"], 2),
}


@pytest.mark.parametrize("name", TYPED)
def test_what_a_tired_operator_types(name: str, run: Run, settings: Settings) -> None:
    path = settings.home / "good.yaml"
    path.write_bytes(good())
    with open_catalog(settings) as catalog:
        import_catalog(catalog, path)
        before = catalog.publish().revision
        words, code = TYPED[name]
        given = [w.replace("{good}", str(path)) if isinstance(w, str) else w for w in words]
        done = run(*given)
        assert (done.code, done.out) == (code, "")
        assert done.err.strip()
        assert catalog.publish().revision == before


def test_names_in_the_environment_are_checked(run: Run) -> None:
    for variable in ("TOOL_CATALOG_ACTOR", "TOOL_CATALOG_ENVIRONMENT", "TOOL_CATALOG_TENANT"):
        for text in (os.fsdecode(b"\xff"), ESCAPE, "a" * 10_000):
            done = run("list", **{variable: text})
            assert (done.code, done.out) == (2, "")
            assert f"{variable} cannot be" in done.err


def test_a_short_version_means_the_same_everywhere(catalog: Catalog) -> None:
    catalog.editor.save_tool(make_tool_spec("linux/echo@1.0.0"), "test")
    assert catalog.seen().resolve(ref("echo@1.0")).header.version == "1.0.0"
    assert catalog.store.find(ref("echo@1")).header.version == "1.0.0"


def test_a_regular_expression_has_its_time() -> None:
    with pytest.raises(SlowRegexError):
        search("^(([a-z])+.)+[A-Z]([a-z])+$", "aA" * 40_000, Deadline(0.05))
    assert search("^[a-z]+$", "abc", Deadline()) is not None
    assert regex_problem(r"^(\d{1,3}\.){3}\d{1,3}$") is None
    assert regex_problem(r"^([a-z0-9]{1,63}\.){1,127}[a-z]{2,63}$") is None
    assert "repeats within repeats" in (regex_problem("((a{99}){99}){99}") or "")


NUMBERS = "{a: 1e22, b: 1e16, c: -0.0, d: 1.7976931348623157e308, e: 1.0, f: 1e-7, g: 5e-324}"


def test_numbers_texts_and_control_characters_survive_the_round_trip(
    catalog: Catalog, home: Path
) -> None:
    texts = json.dumps(["\x1b", "\x85", "\u2028", "\ufeff", "\uffff", " a", "a: b"])
    texts = texts.replace("]", ', "\\U0010ffff"]')
    spec = tool_of(read_document(good(TEXT, f"{{numbers: {NUMBERS}, texts: {texts}}}"), "x"))
    catalog.editor.save_tool(spec, "test")
    export_files(catalog.seen().latest, home / "files")
    export_bundle(catalog.seen().latest, home / "bundle.yaml")
    for path in (home / "files", home / "bundle.yaml"):
        report = import_catalog(catalog, path)
        assert [line.label for line in report.unchanged] == ["linux/good@1.0.0"]
        assert (report.imported, report.conflicts, report.refused) == ([], [], {})
    assert catalog.editor.update_tool(ref("good"), {"owner": "ann"}, "test").outcome


@pytest.mark.parametrize("place", ["platform", "file"])
def test_links_in_the_export_folder_are_not_written_through(
    place: str, catalog: Catalog, home: Path
) -> None:
    catalog.editor.save_tool(make_tool_spec("linux/echo@1.0.0"), "test")
    outside, folder = home / "outside", home / "out"
    outside.mkdir()
    folder.mkdir()
    precious = outside / "echo.1.0.0.yaml"
    precious.write_text("precious")
    if place == "platform":
        (folder / "linux").symlink_to(outside)
        with pytest.raises(TerminalError, match="is a link"):
            export_files(catalog.seen().latest, folder)
    else:
        (folder / "linux").mkdir()
        (folder / "linux" / precious.name).symlink_to(precious)
        export_files(catalog.seen().latest, folder)
    assert precious.read_text() == "precious"


@contextmanager
def as_somebody_else(folder: Path) -> Iterator[None]:
    """Nobody may read the folder while the block runs, not even the administrator."""
    folder.chmod(0)
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)
        folder.chmod(0o755)


def test_what_cannot_be_read_is_refused_and_not_overlooked(home: Path) -> None:
    folder = home / "world"
    closed = folder / "closed"
    closed.mkdir(parents=True)
    (folder / ".hidden").mkdir()
    (folder / ".hidden" / "x.json").write_text("{}")
    (folder / "UPPER.YAML").write_bytes(good())
    (folder / "nowhere.yaml").symlink_to("nothing")
    (folder / "itself.yml").symlink_to("itself.yml")
    os.mkfifo(folder / "pipe.json")
    with as_somebody_else(closed):
        paths = importable_files(folder)
        found = {path.name: read_candidates(path, path.name) for path in paths}
    assert found.keys() == {"UPPER.YAML", "nowhere.yaml", "itself.yml", "pipe.json", "closed"}
    assert len(found.pop("UPPER.YAML").candidates) == 1
    assert all(content.problems for content in found.values())
    assert "Permission denied" in found["closed"].problems[0].message


def test_the_files_do_not_bring_back_what_the_database_hides(settings: Settings) -> None:
    folder = settings.catalog_dir / "tools"
    folder.mkdir()
    for name in ("good", "staged", "other"):
        text = good().replace(NAME, f"tool_name: {name}".encode())
        (folder / f"{name}.yaml").write_bytes(text)
    with open_catalog(settings) as catalog:
        import_catalog(catalog)
        catalog.editor.update_tool(ref("staged"), {"environments": ["staging"]}, "test")
        catalog.editor.delete(ref("staged@1.0.0"), "test")
        catalog.editor.delete(ref("good"), "test")
        on_disk = installed_snapshot(settings)
        for snapshot in (catalog.seen(), on_disk, catalog.store.snapshot()):
            assert [tool.header.tool_name for tool in snapshot.latest] == ["other"]
            for name in ("good", "staged"):
                with pytest.raises(NotFoundError):
                    snapshot.resolve(ref(name))
        catalog.editor.roll_back(ref("good@1.0.0"), "test")
        assert installed_snapshot(settings).resolve(ref("good")).tool_id is not None


def test_tenants_of_one_home_see_their_own_experiments_only(settings: Settings) -> None:
    acme = replace(settings, tenant="acme")
    for installed in (settings, acme):
        with open_catalog(installed) as catalog:
            for at, estimate in (("linux/echo@1.0.0", "1"), ("linux/echo@1.1.0", "2")):
                spec = make_tool_spec(at, time_estimate_ms=estimate)
                catalog.editor.save_tool(spec, "test")
    with open_catalog(acme) as catalog:
        catalog.editor.save_experiment(make_experiment("secret"), "test")
        assert [spec.experiment for spec in catalog.seen().seen_experiments] == ["secret"]
    assert [e.experiment for e in installed_snapshot(acme).seen_experiments] == ["secret"]
    with open_catalog(settings) as catalog:
        assert catalog.seen().seen_experiments == ()
    assert installed_snapshot(settings).seen_experiments == ()
    with open_catalog(acme) as catalog:
        assert [spec.experiment for spec in catalog.seen().seen_experiments] == ["secret"]


def test_a_tenant_reads_the_versions_of_a_shared_tool(run: Run, settings: Settings) -> None:
    with open_catalog(settings) as catalog:
        catalog.editor.save_tool(make_tool_spec("linux/echo@1.0.0"), "test")
    found = run("versions", "echo", "--json", TOOL_CATALOG_TENANT="acme").document
    assert [row["version"] for row in found["versions"]] == ["1.0.0"]
    refused = run("disable", "echo", TOOL_CATALOG_TENANT="acme")
    assert refused.code == 2
    assert "belongs to the shared catalogue" in refused.err


def test_the_audit_log_tells_which_channels_moved(catalog: Catalog) -> None:
    catalog.editor.save_tool(make_tool_spec("linux/echo@1.0.0"), "test")
    catalog.editor.save_tool(make_tool_spec("linux/echo@1.1.0", time_estimate_ms="2"), "test")
    catalog.editor.delete(ref("linux/echo@1.0.0"), "test")
    catalog.editor.purge(ref("linux/echo@1.0.0"), "test")
    with catalog.store.reading() as connection:
        entries = list(history.entries(connection, history.AuditQuery("shared")))
    moved = [
        (entry["action"], change["field"], change["old"], change["new"])
        for entry in reversed(entries)
        for change in entry["changes"]
        if change["field"] in ("latest", "stable") or entry["action"] == "purged"
    ]
    assert moved[:4] == [
        ("created", "latest", None, "1.0.0"),
        ("created", "stable", None, "1.0.0"),
        ("updated", "latest", "1.0.0", "1.1.0"),
        ("deleted", "stable", "1.0.0", None),
    ]
    assert moved[4] == ("purged", "version", "1.0.0", None)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE tool_catalog.tool_audit_log SET changed_by = 'nobody'",
        "DELETE FROM tool_catalog.tool_audit_log",
        "TRUNCATE tool_catalog.tool_audit_log",
        "TRUNCATE tool_catalog.tool_audit_log CASCADE",
        "WITH gone AS (DELETE FROM tool_catalog.tool_audit_log RETURNING 1) SELECT * FROM gone",
        "INSERT INTO tool_catalog.tool_audit_log (id, tenant, entity_type, entity_key, action, "
        "changed_by) OVERRIDING SYSTEM VALUE SELECT id, tenant, entity_type, entity_key, 'forged', "
        "'nobody' FROM tool_catalog.tool_audit_log "
        "ON CONFLICT (id) DO UPDATE SET changed_by = 'nobody'",
    ],
)
def test_the_audit_log_cannot_be_rewritten(
    statement: str, catalog: Catalog, database_url: str
) -> None:
    catalog.editor.save_tool(make_tool_spec("linux/echo@1.0.0"), "test")
    with (
        psycopg.connect(database_url) as connection,
        pytest.raises(psycopg.Error, match=r"append|audit"),
    ):
        connection.execute(statement)
    with catalog.store.reading() as connection:
        (entry,) = history.entries(connection, history.AuditQuery("shared"))
    assert entry["changed_by"] == catalog.settings.actor


def test_a_full_disk_is_said_and_loses_nothing(run: Run, settings: Settings) -> None:
    with open_catalog(settings) as catalog:
        catalog.editor.save_tool(make_tool_spec("linux/echo@1.0.0"), "test")
        snapshot = settings.snapshot_path
        before = snapshot.read_bytes()
        resource_limit = len(before) // 2

        def small_files() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource_limit, resource_limit))

        program = "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        program += "from tool_catalog_pipelines.cli.app import main; main()"
        ended = subprocess.run(
            [sys.executable, "-c", program, "update", "echo", "--set", "owner=ann"],
            capture_output=True,
            text=True,
            env={**os.environ, **child_environment(settings)},
            preexec_fn=small_files,
            timeout=TIME_LIMIT_S,
            check=False,
        )
        assert ended.returncode == 1
        assert "Traceback" not in ended.stderr
        assert "the database is up to date" in ended.stderr
        assert snapshot.read_bytes() == before
        assert list(snapshot.parent.glob("*.part")) == []
    assert run("import", str(settings.catalog_dir)).code == 0
    assert run("get", "echo", "--json").document["spec"]["owner"] == "ann"


def test_files_that_change_while_they_are_read(catalog: Catalog, home: Path) -> None:
    folder = home / "world"
    folder.mkdir()
    path = folder / "good.yaml"
    texts = (good("One"), good("Two"), b"", b"a: [", good()[:-40])
    ended = threading.Event()

    def change() -> None:
        while not ended.is_set():
            for text in texts:
                path.write_bytes(text)
            path.unlink()

    path.write_bytes(texts[0])
    changing = threading.Thread(target=change)
    changing.start()
    try:
        for _ in range(30):
            import_catalog(catalog, folder)
    finally:
        ended.set()
        changing.join()
    path.write_bytes(texts[1])
    assert import_catalog(catalog, folder).refused == {}
    allowed = {"One", "Two", "Plain"}
    assert {tool.spec.description for tool in catalog.store.snapshot().tools} <= allowed


def test_a_value_that_the_database_refuses_is_a_sentence(catalog: Catalog) -> None:
    catalog.editor.save_tool(make_tool_spec("linux/echo@1.0.0"), "test")
    with pytest.raises((TerminalError, InvalidInputError)) as caught:
        catalog.editor.restore_estimate(ref("echo"), ("use", "run"), 10**20, "test")
    assert "database refuses" in str(caught.value)


def test_a_tool_disabled_and_deleted_in_any_order_can_be_used_again(catalog: Catalog) -> None:
    editor, version = catalog.editor, ref("linux/echo@1.0.0")
    editor.save_tool(make_tool_spec("linux/echo@1.0.0"), "test")
    editor.save_tool(make_tool_spec("linux/echo@1.1.0", time_estimate_ms="2"), "test")
    editor.disable(ref("echo"), "test")
    editor.delete(ref("echo@1.1.0"), "test")
    editor.enable(ref("echo"), "test")
    assert catalog.store.find(ref("echo@latest")).header.version == "1.0.0"
    assert [tool.label for tool in catalog.store.with_capability("use")] == ["linux/echo@1.0.0"]
    editor.disable(version, "test")
    editor.delete(ref("echo"), "test")
    with pytest.raises(InvalidInputError, match="enable it first"):
        editor.roll_back(version, "test")
    editor.enable(version, "test")
    editor.roll_back(version, "test")
    assert catalog.store.find(ref("echo")).header.is_usable


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({"a": "x" * 200_000}, "a text of 200000 characters"),
        ({"a": ["x" * 1000] * 2000}, "the tool holds 2000"),
        ({"a": list(range(60_000))}, "the tool has 60"),
    ],
)
def test_no_tool_comes_in_that_cannot_go_out(
    metadata: Any, said: str, catalog: Catalog, home: Path
) -> None:
    document = make_tool_spec("linux/huge@1.0.0").model_dump(
        mode="json", by_alias=True, exclude_defaults=True
    )
    path = home / "huge.json"
    path.write_text(json.dumps({**document, "metadata": metadata}))
    (problem,) = import_catalog(catalog, path).problems
    assert said in problem.message
    assert problem.position


def test_a_bundle_that_no_import_would_read_is_not_written(home: Path) -> None:
    tools = make_snapshot(
        *(
            make_tool(f"linux/t{n}@1.0.0", tool={"metadata": {"a": ["x" * 900] * 900}})
            for n in range(6)
        )
    ).latest
    with pytest.raises(TerminalError, match="a bundle of 6 tools could not be imported"):
        export_bundle(tools, home / "bundle.yaml")
    assert not (home / "bundle.yaml").exists()


@pytest.mark.parametrize("damage", ["half", "empty", "text", "nested", "content", "revision"])
def test_a_damaged_snapshot_is_said_and_can_be_made_again(
    damage: str, run: Run, settings: Settings
) -> None:
    with open_catalog(settings) as catalog:
        catalog.editor.save_tool(make_tool_spec("linux/echo@1.0.0"), "test")
    path = settings.snapshot_path
    whole = path.read_bytes()
    head, _, content = whole.partition(b"\n")
    path.write_bytes(
        {
            "half": whole[: len(whole) // 2],
            "empty": b"",
            "text": b"\xff\xfe" * 100,
            "nested": b"[" * 100_000 + b"\n",
            "content": head + b"\n" + b"x" * len(content),
            "revision": head.replace(b'"revision":1', b'"revision":"1"') + b"\n" + content,
        }[damage]
    )
    for command in ("list", "get echo"):
        done = run(*command.split())
        assert done.code == 1
        assert "run `tool-catalog import`" in done.err
    if damage == "content":
        path.unlink()
    assert run("import", str(settings.catalog_dir)).code == 0
    assert run("get", "echo").code == 0


def test_a_disabled_tool_is_found_as_disabled_also_without_latest(catalog: Catalog) -> None:
    editor = catalog.editor
    for at, environments in (("1.0.0", []), ("2.0.0", ["staging"])):
        tool = {"environments": environments}
        editor.save_tool(make_tool_spec(f"linux/echo@{at}", tool=tool), "test")
    editor.disable(ref("echo"), "test")
    found = catalog.seen().resolve(ref("echo"))
    assert (found.header.version, found.header.is_usable) == ("1.0.0", False)
