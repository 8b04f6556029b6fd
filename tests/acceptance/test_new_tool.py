"""`tool-catalog new` as a person at a terminal and as a program uses it."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typed_terminal import CTRL_C, CTRL_D, TypedTerminal

from tool_catalog_pipelines.settings import CHECKOUT, Settings, child_environment

PROGRAM = [sys.executable, "-m", "tool_catalog_pipelines.cli.app"]
Opened = Callable[..., TypedTerminal]
Program = Callable[..., subprocess.CompletedProcess[str]]
SAVE = "Where shall it be saved"
COMMAND = {
    "What is the tool called": "count_words",
    "What is it for": "Counts the words of every line of a text file",
    "Which command": "wc -w -- {file}",
    "How is its output read": "regex (?P<words>[0-9]+)",
    "When does somebody want this": "how long is a text; words of a file",
    "What does it change": "read",
    "Where is its documentation": "https://www.gnu.org/software/coreutils/wc",
}


@pytest.fixture
def opened(settings: Settings) -> Iterator[Opened]:
    """Starts `tool-catalog new` on a terminal, in an empty installation of its own."""
    terminals: list[TypedTerminal] = []

    def start(*arguments: str) -> TypedTerminal:
        environment = {**os.environ, **child_environment(settings)}
        terminal = TypedTerminal([*PROGRAM, "new", *arguments], environment, str(CHECKOUT))
        terminals.append(terminal)
        return terminal

    yield start
    for terminal in terminals:
        terminal.close()


@pytest.fixture
def program(settings: Settings) -> Program:
    """Runs `tool-catalog` without a terminal."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*PROGRAM, *arguments],
            env={**os.environ, **child_environment(settings)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
            cwd=CHECKOUT,
        )

    return run


def assert_works(program: Program, path: Path) -> None:
    """The file is right also for a strict check, and its example runs."""
    strict = program("validate", "--strict", str(path))
    assert strict.returncode == 0, strict.stdout + strict.stderr
    tried = program("test", str(path), "--json")
    assert tried.returncode == 0, tried.stdout + tried.stderr
    assert json.loads(tried.stdout)["passed"] == 1


def test_command_is_made_saved_to_both_and_passes_its_test(
    opened: Opened, program: Program, settings: Settings
) -> None:
    terminal = opened()
    terminal.answer(COMMAND, SAVE)
    assert 'as a list, without a shell: ["wc", "-w", "--", "{file}"]' in terminal.seen
    assert "tool_name: count_words" in terminal.recent
    assert "quality: " in terminal.recent
    terminal.send("both")
    assert terminal.finish() == 0, terminal.seen
    path = settings.catalog_dir / "tools/linux/count_words.yaml"
    assert_works(program, path)
    in_catalogue = json.loads(program("get", "linux/count_words", "--json").stdout)
    assert in_catalogue["spec"]["capabilities"]["count_words"]["patterns"]["run_count_words"]
    assert list(settings.drafts_dir.iterdir()) == []


def test_http_call_is_made_and_passes_its_test(
    opened: Opened, program: Program, settings: Settings
) -> None:
    terminal = opened("service_state")
    terminal.answer(
        {
            "On which platform": "network",
            "What is it for": "Asks a service for its state and gives it as an object",
            "How is it executed": "http",
            "Which address": "{base_url}/state",
            "Which parameters": "part={part} format=json",
            "Which headers": "Accept=application/json 'Authorization=Bearer ${secret:service}'",
            "When does somebody want this": "is the service up",
            "Why is time or cost the same": "The document is always of the same size",
            "Where is its documentation": "https://www.rfc-editor.org/rfc/rfc9110",
        },
        SAVE,
    )
    terminal.send("")
    assert terminal.finish() == 0, terminal.seen
    path = settings.catalog_dir / "tools/network/service_state.yaml"
    assert "requires_auth: true" in path.read_text(encoding="utf-8")
    assert_works(program, path)


def test_python_function_is_chosen_and_passes_its_test(
    opened: Opened, program: Program, settings: Settings
) -> None:
    terminal = opened()
    terminal.answer(
        {
            "What is the tool called": "largest",
            "On which platform": "custom",
            "What is it for": "The rows of a list with the largest numbers in a field",
            "How is it executed": "python",
            "Which function": "top_rows",
            "What does it give": "rows=array total=integer",
            "When does somebody want this": "the largest files",
            "What does it change": "read",
            "With which inputs": """rows='[{"n": 1}, {"n": 2}]' by=n""",
            "Where is its documentation": "https://docs.python.org/3/howto/sorting.html",
        },
        SAVE,
    )
    terminal.send("yaml")
    assert terminal.finish() == 0, terminal.seen
    assert_works(program, settings.catalog_dir / "tools/custom/largest.yaml")


def test_wrong_answers_are_said_at_once_and_asked_again(opened: Opened) -> None:
    terminal = opened()
    for question, wrong, said in (
        ("What is the tool called", "two words", "'tool_name' must be a name"),
        ("On which platform", "linx", "did you mean 'linux'?"),
        ("To which category", "sistem", "did you mean 'system'?"),
        ("Which command", "ps aux | grep {text}", "no shell reads this line"),
        ("Which command", "grep 'x", "a quote is not closed"),
        ("Which command", "curl --token=abc", "looks like a secret"),
        ("Which command", "echo $HOME", "no shell reads this line"),
        ("Which command", "awk '{print $1}'", "a single '{'"),
        ("Input text: which value", "-x", ""),
        ("Input text: which regular", "[a", "the regular expression '[a' is wrong"),
        ("How is its output read", "jc nothing_like_it", "jc has no parser"),
        ("How is its output read", "regex [0-9]+", "no named group"),
        ("On which numbers", "n=many", "'many' is no number"),
        ("How long does it take", "20 + 3 * other", "'other', which is not declared"),
        ("How long does it take", "20 +", "cannot be read"),
        ("What does it change", "everything", "there is no effect"),
        ("With which inputs", "other=1", "there is no input 'other'"),
        ("Where is its documentation", "somewhere", "no address of a page"),
    ):
        right = {
            "What is the tool called": "find_text",
            "What is it for": "Finds a text",
            "Which command": "grep -n -- {text} notes.txt",
            "When does somebody want this": "where is this text",
            "What does it change": "read",
        }
        asked = terminal.wait_for_question()
        while question not in asked:
            words = next((words for words in right if words in asked), "")
            asked = terminal.type(right.get(words, ""))
        again = terminal.type(wrong)
        assert said in again
        assert not said or question in again


def test_help_and_one_question_back(opened: Opened) -> None:
    terminal = opened()
    terminal.type("first")
    assert "One of linux, windows" in terminal.type("?")
    assert "[first]" in terminal.type("<")
    assert "On which platform" in terminal.type("second")
    assert "[second]" in terminal.type("back")


@pytest.mark.parametrize(("key", "why"), [(CTRL_C, "Ctrl-C"), (CTRL_D, "end of input")])
def test_interrupted_conversation_goes_on_at_the_same_question(
    opened: Opened, program: Program, settings: Settings, key: bytes, why: str
) -> None:
    first = {words: COMMAND[words] for words in list(COMMAND)[:3]}
    terminal = opened()
    terminal.answer(first, "Input file: what is it?")
    terminal.type("The text file")
    assert terminal.interrupt(key) == 130, why
    assert "tool-catalog new --resume count_words" in terminal.seen
    assert "Traceback" not in terminal.seen
    (draft,) = settings.drafts_dir.iterdir()
    assert stat.S_IMODE(draft.stat().st_mode) == 0o600
    resumed = opened("--resume", "count_words")
    asked = resumed.wait_for_question()
    assert "Input file: which value if none is given?" in asked
    assert "inputs.file.description: The text file" in asked
    resumed.answer({words: COMMAND[words] for words in list(COMMAND)[3:]}, SAVE)
    resumed.send("yaml")
    assert resumed.finish() == 0, resumed.seen
    path = settings.catalog_dir / "tools/linux/count_words.yaml"
    assert "description: The text file" in path.read_text(encoding="utf-8")
    assert_works(program, path)
    assert list(settings.drafts_dir.iterdir()) == []


def test_interrupted_before_the_first_answer_leaves_nothing(
    opened: Opened, settings: Settings
) -> None:
    terminal = opened()
    assert terminal.interrupt(CTRL_C) == 130
    assert "nothing was answered yet" in terminal.seen
    assert not settings.drafts_dir.exists()


def test_finished_but_not_saved_is_kept_too(opened: Opened) -> None:
    terminal = opened()
    terminal.answer(COMMAND, SAVE)
    assert terminal.interrupt(CTRL_C) == 130
    resumed = opened("--resume")
    assert SAVE in resumed.wait_for_question()
    resumed.send("none")
    assert resumed.finish() == 0
    assert "--resume count_words" in resumed.seen


def test_existing_name_is_said_with_its_version_and_existing_file_is_not_replaced(
    opened: Opened, settings: Settings
) -> None:
    folder = settings.catalog_dir / "tools/linux"
    folder.mkdir(parents=True)
    shipped = (CHECKOUT / "catalog_yaml/tools/linux/df.yaml").read_text(encoding="utf-8")
    (folder / "df.yaml").write_text(shipped, encoding="utf-8")
    terminal = opened("DF")
    terminal.type("df")
    assert "linux/df is in the catalogue already, as version 1.0.0" in terminal.type("linux")
    assert "an answer is needed" in terminal.type("")
    assert "give a higher version" in terminal.type("1.0.0")
    assert "To which category" in terminal.type("1.1.0")
    answers = {words: line for words, line in COMMAND.items() if "called" not in words}
    terminal.answer(answers, SAVE)
    assert "exists already. Replace it" in terminal.type("yaml")
    assert SAVE in terminal.type("no")
    assert (folder / "df.yaml").read_text(encoding="utf-8") == shipped
    terminal.type("yaml")
    terminal.send("yes")
    assert terminal.finish() == 0, terminal.seen
    assert "version: 1.1.0" in (folder / "df.yaml").read_text(encoding="utf-8")


def test_damaged_draft_is_said_and_kept(opened: Opened, settings: Settings) -> None:
    settings.drafts_dir.mkdir(mode=0o700)
    draft = settings.drafts_dir / "mine.json"
    draft.write_text('{"answers": {"tool_name"', encoding="utf-8")
    terminal = opened("--resume", "mine")
    assert terminal.finish() == 2
    assert "mine.json is damaged" in terminal.seen
    assert draft.read_text(encoding="utf-8") == '{"answers": {"tool_name"'


def test_two_conversations_about_one_name_do_not_touch_each_other(
    opened: Opened, settings: Settings
) -> None:
    for description in ("The first one", "The second one"):
        terminal = opened()
        terminal.answer(
            {"What is the tool called": "twice", "What is it for": description}, "How is it"
        )
        assert terminal.interrupt(CTRL_C) == 130
    names = sorted(path.stem for path in settings.drafts_dir.iterdir())
    assert names == ["twice", "twice~2"]
    assert "The second one" in opened("--resume", "twice~2").wait_for_question()
    ambiguous = opened("--resume")
    assert ambiguous.finish() == 2
    assert "twice, twice~2" in ambiguous.seen


ANSWERS = """\
tool_name: count_words
description: Counts the words of every line of a text file
kind: command
argv: [wc, -w, --, "{file}"]
inputs:
  file: {description: The text file, validation: "^/"}
parser: regex (?P<words>[0-9]+)
output_name: counts
use_cases: [how long is a text]
time_estimate_ms: 10 + 0.1 * num_counts
effects: read
documentation_url: https://www.gnu.org/software/coreutils/wc
"""


def test_file_of_answers_makes_the_tool_without_a_question(
    program: Program, settings: Settings, tmp_path: Path
) -> None:
    answers = tmp_path / "answers.yaml"
    answers.write_text(ANSWERS, encoding="utf-8")
    done = program("new", "--from", str(answers), "--save", "both", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["tool"] == "linux/count_words"
    assert document["saved"] == {"tool": "linux/count_words@1.0.0", "outcome": "created"}
    assert document["advice"] == []
    assert document["quality"]["points"] >= 80
    assert_works(program, Path(document["file"]))
    again = program("new", "--from", str(answers))
    assert again.returncode == 2
    assert "is in the catalogue already, as version 1.0.0" in again.stderr
    answers.write_text(ANSWERS + "version: 1.1\n", encoding="utf-8")
    refused = program("new", "--from", str(answers))
    assert refused.returncode == 2
    assert "--overwrite replaces it" in refused.stderr
    assert program("new", "--from", str(answers), "--overwrite").returncode == 0


def test_file_of_answers_gets_every_wrong_answer_at_once(
    program: Program, settings: Settings, tmp_path: Path
) -> None:
    answers = tmp_path / "answers.yaml"
    answers.write_text(
        "tool_name: two words\nplatform: linx\ncategory: sistem\n"
        "description: Finds a text in a file\nkind: command\n"
        "argv: [grep, --, '{text}', '{file']\n"
        "inputs:\n  text: {type: txt, validation: '[a'}\n  count: {type: integer, default: many}\n"
        "parser: jc nothing_like_it\nuse_cases: []\nvariables: {n: {default: 5, unit: count}}\n"
        "time_estimate_ms: 1 + 2 * other\neffects: all\ncolour: red\n",
        encoding="utf-8",
    )
    done = program("new", "--from", str(answers))
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    for line, key in (
        (1, "tool_name"), (2, "platform"), (3, "category"), (6, "argv"), (8, "inputs.text.type"),
        (8, "inputs.text.validation"), (9, "inputs.count.default"), (10, "parser"),
        (11, "use_cases"), (13, "time_estimate_ms"), (14, "effects"), (15, "colour"),
    ):  # fmt: skip
        assert any(
            said.startswith(f"{answers}:{line}:") and f"'{key}'" in said
            for said in done.stderr.splitlines()
        ), f"{line} {key}\n{done.stderr}"
    assert not (settings.catalog_dir / "tools").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "--from FILE"),
        (("--resume",), "--from FILE"),
        (("--from", "/does/not/exist.yaml"), "cannot be read"),
        (("--json",), "--from"),
        (("--template", "shell"), "command, http, python"),
        (("--template", "http", "--resume"), "exclude each other"),
    ],
)
def test_without_terminal_or_sense_it_is_exit_two(
    program: Program, arguments: tuple[str, ...], said: str
) -> None:
    done = program("new", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("kind", ["command", "http", "python"])
def test_template_is_right_as_it_is(program: Program, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "tool.yaml"
    path.write_text(program("new", "--template", kind).stdout, encoding="utf-8")
    strict = program("validate", "--strict", str(path))
    assert strict.returncode == 0, strict.stdout + strict.stderr
    tried = program("test", str(path), "--json")
    assert tried.returncode == 0, tried.stdout
    assert json.loads(tried.stdout)["passed"] == 2
