"""A choice in plain sentences, for somebody who never saw the system, 100 columns wide.

Does not belong here: the choice as a document (explanation.py), what would change it (what_if.py).
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping

from tool_catalog_pipelines.selection.candidates import Candidate
from tool_catalog_pipelines.selection.capability import Meaning
from tool_catalog_pipelines.selection.choice import Choice, Judged
from tool_catalog_pipelines.selection.estimates import Figure
from tool_catalog_pipelines.selection.explanation import NAMES, reasons
from tool_catalog_pipelines.selection.units import cost_text, duration_text
from tool_catalog_pipelines.selection.what_if import Change, changes

WIDTH = 100
MOST_OTHERS = 5
MOST_REFUSED = 3
MOST_MEANT = 2
_LABEL_WIDTH = 42
_HOW: Mapping[str, str] = {
    "immediate": "at once",
    "background": "in the background",
    "approval_required": "after somebody has approved it",
}
_WAIT: Mapping[str, str] = {
    "interactive": "the answer comes within a second",
    "batch": "the answer takes some seconds",
    "background": "the answer takes ten seconds or more",
    "unknown": "nobody knows how long the answer takes",
}
_COLUMNS = ("score", "time", "cost", "simple", "accurate", "complete")
_SCALE = (
    "Score, simple, accurate, complete: 100 is best; the last three are the author's own judgement."
)
_UNKNOWN = "A ? is not known and counts as middling."
_NOTHING = (
    "no other --mode does, and neither a faster or cheaper runner-up nor a limit that is lifted."
)
_ALONE = "only a different need, as there is nothing else to choose from."


def choice_as_text(choice: Choice, meaning: Meaning | None = None, is_long: bool = True) -> str:
    """The choice, how words were understood, and with `is_long` everything that led there."""
    blocks = [
        [*_understood(meaning), *_answer(choice)],
        _next(choice) + ([] if is_long else _row("why", "the same command with --explain")),
    ]
    if is_long:
        blocks += [_why(choice, meaning), _why_not(choice), _not_allowed(choice), _what_if(choice)]
        blocks += [_other_meanings(meaning)] if meaning else []
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _understood(meaning: Meaning | None) -> list[str]:
    if meaning is None:
        return []
    meant = f"{meaning.meant.does} (capability {meaning.meant.capability})"
    lines = _wrapped(f"Understood as: {meant}")
    if meaning.question:
        other = meaning.others[0]
        text = f"Not sure, it may as well mean: {other.does}."
        lines += _wrapped(f"{text} If so, add --capability {other.capability}")
    return [*lines, ""]


def _answer(choice: Choice) -> list[str]:
    chosen = choice.given.candidate
    header = chosen.tool.header
    rows = [
        ("does", chosen.pattern.description),
        ("takes", _figure(chosen.time_ms, duration_text)),
        ("costs", _figure(chosen.cost_units, cost_text)),
        ("start it", f"{_HOW[choice.execution_mode]}; {_WAIT[choice.sla_class]}"),
        *(("assuming", text) for text in _assumed(chosen)),
        *(("not used", text) for text in _unused(choice, chosen)),
        *(("succeeds", text) for text in _success(chosen)),
        *(("note", remark) for remark in choice.remarks),
        *(("note", violation.message) for violation in choice.given.verdict.violations),
        *(("experiment", text) for text in _experiment(choice)),
        *(("note", text) for text in _not_executable(chosen)),
        *(("close call", text) for text in _close(choice)),
    ]
    name = f"{header.platform}/{header.tool_name} {header.version}, pattern {chosen.pattern_name}"
    return [*_wrapped(f"Use {name}"), *(line for row in rows for line in _row(*row))]


def _figure(figure: Figure, spell: Callable[[float], str]) -> str:
    if figure.value is None:
        return figure.origin
    said = "as its author declared" if figure.basis == "declared" else ""
    if figure.basis == "recalibrated":
        said = f"as measured in {figure.runs} runs"
    return f"about {spell(figure.value)}" + (f", {said}" if said else "")


def _assumed(chosen: Candidate) -> Iterator[str]:
    for name, value in chosen.values.items():
        unit = chosen.pattern.variables[name].unit if name in chosen.pattern.variables else ""
        amount = f"{value.value:g}" + (f" {unit}" if unit not in ("", "count") else "")
        if value.source == "given":
            yield f"{name} = {amount}, as you gave it"
        else:
            yield f"{name} = {amount} ({value.source}); --var {name}=NUMBER says it better"


def _unused(choice: Choice, chosen: Candidate) -> Iterator[str]:
    """Variables that were given and that no estimate of the chosen pattern knows."""
    unused = ", ".join(name for name in choice.need.variables if name not in chosen.values)
    if unused:
        known = ", ".join(chosen.values) or "none"
        yield f"{unused}: the estimates of this pattern do not ask for it (they know: {known})"


def _success(chosen: Candidate) -> Iterator[str]:
    success = chosen.success
    if success is not None:
        yield (
            f"in {success.rate:.0%} of runs (between {success.low:.0%} and {success.high:.0%}, "
            f"{success.origin}); repeats after failures count below"
        )


def _not_executable(chosen: Candidate) -> Iterator[str]:
    if chosen.is_executable:
        return
    if chosen.pattern.connection:
        why = f"it works on another machine, over the connection {chosen.pattern.connection}"
    else:
        why = "nobody has written down how to start it (it has no binding)"
    yield f"it cannot be executed here: {why}; --executable leaves such tools out"


def _close(choice: Choice) -> Iterator[str]:
    if choice.decision:
        yield f"a model decided between the first two: {choice.decision.justification}"
    elif choice.closeness.is_ambiguous:
        second = choice.ranking[1]
        label = short_label(second.candidate)
        if second.candidate.features == choice.chosen.candidate.features:
            yield f"{label} is equal in every figure; the first of them in the catalogue is taken"
        else:
            scores = f"{100 * second.score:.1f} points against {100 * choice.chosen.score:.1f}"
            yield f"{label} has {scores}. {choice.closeness.question}"


def _experiment(choice: Choice) -> Iterator[str]:
    exposure, latest = choice.exposure, choice.chosen.candidate.tool.header.version
    if exposure is None:
        return
    spec = exposure.experiment
    if exposure.is_exposed:
        yield (
            f"version {exposure.version} because the experiment {spec.experiment} compares "
            f"{spec.version_a} (a) with {spec.version_b} (b) and the {spec.unit} {exposure.unit} "
            f"is in arm {exposure.arm}; the tool was chosen by the figures of {latest}, the latest "
            f"version"
        )
    else:
        yield (
            f"{spec.experiment} compares {spec.version_a} with {spec.version_b}, "
            f"but not here: {exposure.reason}; you get {latest}, the latest version"
        )


def _next(choice: Choice) -> list[str]:
    """What to type to use it; a step that named a version would take no part in experiments."""
    chosen = choice.given.candidate
    header = chosen.tool.header
    bare = f"{header.platform}/{header.tool_name}"
    name = f"{bare}@{header.version}"
    tool = bare if choice.exposure else name
    step = f"tool: {tool}, capability: {chosen.capability}, pattern: {chosen.pattern_name}"
    lines = ["What to do next", *_row("inputs", f"tool-catalog get {name}")]
    if chosen.is_executable:
        lines += _row("try it", f"tool-catalog test {name}")
    return [*lines, *_row("in a chain", f"my_step: {{{step}}}")]


def _why(choice: Choice, meaning: Meaning | None) -> list[str]:
    wish, score = reasons(choice)[:2]
    compared = len(choice.ranking) + len(choice.refused)
    count = "only this way to do it fits" if compared == 1 else f"{compared} ways to do it fit"
    sentences = [count, wish, score]
    if meaning and meaning.reason:
        sentences.insert(0, _found_in(meaning, choice))
    text = " ".join(f"{one[0].upper()}{one[1:]}." for one in sentences)
    return ["Why this one", *_wrapped(text, "  ")]


def _found_in(meaning: Meaning, choice: Choice) -> str:
    """The tool whose texts gave the capability need not be the one that wins."""
    meant, header = meaning.meant, choice.chosen.candidate.tool.header
    text = f"your words were found in {meant.tool}: {meaning.reason}"
    if meant.tool == f"{header.platform}/{header.tool_name}":
        return text
    return f"{text}. That names the capability {meant.capability}, for which tools then compete"


def _why_not(choice: Choice) -> list[str]:
    """A table of figures: the chosen one, and those that come next."""
    others = choice.ranking[1 : 1 + MOST_OTHERS]
    if not others:
        return []
    ranked = [choice.chosen, *others]
    rows = [
        ("", *_COLUMNS),
        ("how much it counts", "", *_shares(choice)),
        *((short_label(one.candidate), *_cells(one)) for one in ranked),
    ]
    lines = [f"  {_cut(row[0]):<{_LABEL_WIDTH}}{_aligned(row[1:])}".rstrip() for row in rows]
    more = len(choice.ranking) - len(ranked)
    has_unknown = any("?" in row[1:] for row in rows)
    return [
        "Why not the others",
        *lines,
        *([f"  and {more} more"] if more > 0 else []),
        *_wrapped(f"{_SCALE} {_UNKNOWN if has_unknown else ''}".strip(), "  "),
    ]


def _shares(choice: Choice) -> Iterator[str]:
    for name in NAMES:
        yield f"{choice.weights[name]:.0%}"


def _cells(one: Judged) -> Iterator[str]:
    raw = one.candidate.raw
    yield _points(one.score)
    yield duration_text(raw["time_ms"]) if "time_ms" in raw else "?"
    yield cost_text(raw["cost"]) if "cost" in raw else "?"
    yield f"{100 * (1 - raw['complexity']):.0f}"
    yield f"{100 * raw['accuracy']:.0f}"
    yield f"{100 * raw['completeness']:.0f}"


def _aligned(cells: Iterable[str]) -> str:
    widths = (6, 9, 12, 8, 10, 10)
    return "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))


def _not_allowed(choice: Choice) -> list[str]:
    if not choice.refused:
        return []
    lines = [
        line
        for one in choice.refused[:MOST_REFUSED]
        for line in _wrapped(f"{short_label(one.candidate)}: {one.verdict.reason}", "  ")
    ]
    more = len(choice.refused) - MOST_REFUSED
    return ["Not allowed", *lines, *([f"  and {more} more"] if more > 0 else [])]


def _what_if(choice: Choice) -> list[str]:
    lines = [line for change in changes(choice) for line in _wrapped(_change(change), "  ")]
    title = "What would change the answer"
    nothing = _NOTHING if len(choice.ranking) + len(choice.refused) > 1 else _ALONE
    return [title, *lines] if lines else _wrapped(f"{title}: {nothing}")


def _change(change: Change) -> str:
    winner = _without_version(change.winner)
    if change.kind == "mode":
        modes = change.what.removeprefix("with the mode ").split(" or ")
        return f"{' or '.join(f'--mode {mode}' for mode in modes)} would choose {winner}"
    return f"{winner} would be chosen {change.what.replace(f'if {change.winner}', 'if it', 1)}"


def _other_meanings(meaning: Meaning) -> list[str]:
    others = meaning.others[1 if meaning.question else 0 :][:MOST_MEANT]
    if not others:
        return []
    width = max(len(one.capability) for one in others)
    return [
        "If you meant something else, add",
        *(
            _cut(f"  --capability {one.capability:<{width}}  {one.does} ({one.tool})", WIDTH)
            for one in others
        ),
    ]


def short_label(candidate: Candidate) -> str:
    """`platform/name pattern`."""
    return _without_version(candidate.label)


def _without_version(label: str) -> str:
    """Of `platform/name@version pattern`; versions of one tool never compete."""
    tool, _, pattern = label.partition(" ")
    return f"{tool.partition('@')[0]} {pattern}"


def _points(score: float) -> str:
    return f"{100 * score:.0f}"


def _row(label: str, text: str) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=f"  {label:<11}", subsequent_indent=" " * 13,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def _wrapped(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=indent, subsequent_indent=indent,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def _cut(text: str, width: int = _LABEL_WIDTH - 1) -> str:
    return text if len(text) <= width else f"{text[: width - 3]}..."
