"""Questions about what it is good for and what it costs: names, use cases, estimates, effects."""

from __future__ import annotations

from typing import cast

from tool_catalog_pipelines.catalog.drafting import checks, lines, proposals
from tool_catalog_pipelines.catalog.drafting.question import Question, Situation
from tool_catalog_pipelines.expressions.errors import ExpressionError
from tool_catalog_pipelines.expressions.estimate import parse_estimate
from tool_catalog_pipelines.spec.base import JsonValue

EFFECTS = ("read", "local", "system")


def _is_constant(now: Situation) -> bool:
    """The time never changes, or the cost never does and is not that of one plain call."""
    is_usual_cost = now.text("cost_estimate").strip() in ("", "1")
    return _has_no_variable(now, "time_estimate_ms") or (
        not is_usual_cost and _has_no_variable(now, "cost_estimate")
    )


def _has_no_variable(now: Situation, key: str) -> bool:
    try:
        return not parse_estimate(now.text(key)).free_variables
    except ExpressionError:
        return False


PURPOSE_QUESTIONS = (
    Question(
        key="capability",
        text="What can be done with it, as a plain name?",
        help="A capability like disk_usage; tools with the same capability can stand in for each "
        "other. `tool-catalog capabilities` shows those there are.",
        default=lambda now: proposals.identifier(now.text("tool_name")),
    ),
    Question(
        key="pattern",
        text="What is this way to do it called?",
        help="A capability can be used in several patterns; this is the first, like list_disks.",
        default=proposals.pattern_name,
    ),
    Question(
        key="use_cases",
        text="When does somebody want this? Several with ;",
        help="Search finds the tool by these words: how full are the disks; free space.",
        type="array",
        read=lambda text, _: lines.read_list(text, ";"),
        show=lambda value: "; ".join(str(text) for text in cast("list[JsonValue]", value)),
        check=checks.check_use_cases,
    ),
    Question(
        key="variables",
        text="On which numbers does its time depend, and where are they measured?",
        help="NAME=USUAL, then count:$.output.rows[*] (how many), $.output.total or "
        "$.inputs.size (the number itself), before:$.inputs.size (known before), unit:MB; several "
        "with ; between. The time is fitted to what was measured.",
        type="object",
        is_optional=True,
        read=lambda text, _: lines.read_variables(text),
        show=lines.shown_variables,
        default=proposals.variables,
    ),
    Question(
        key="time_estimate_ms",
        text="How long does it take, in milliseconds?",
        help="An expression of these variables, like 20 + 0.05 * num_rows; + - * / ** and log, "
        "sqrt, min, max, ceil can be used. A first guess is enough.",
        default=proposals.time_estimate,
    ),
    Question(
        key="cost_estimate",
        text="What does a call cost, in cost units?",
        help="A number or an expression; 1 is a plain call on this machine.",
        default=lambda _: "1",
    ),
    Question(
        key="constant_estimate",
        text="Why is time or cost the same for every call?",
        help="An estimate without variables never becomes better; one sentence says why that is "
        "right here.",
        is_optional=True,
        applies=_is_constant,
        check=checks.check_text,
    ),
    Question(
        key="effects",
        text="What does it change? read: nothing; local: only where told; system: the machine",
        help="read: it changes nothing. local: it writes only where its inputs say. system: "
        "anything else; such a tool is not tried without --allow-system.",
        check=checks.one_of(EFFECTS, "effect"),
        default=proposals.effects,
    ),
)
