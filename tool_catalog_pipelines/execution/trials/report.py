"""Reports of trials: JSON for programs, JUnit XML for build servers.

JUnit has no standard; the elements are those that Jenkins, GitLab and GitHub's actions read:
testsuites > testsuite (one per tool) > testcase > failure | skipped.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree

from tool_catalog_pipelines.execution.trials.case import Result

_NOT_IN_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def as_json(results: Sequence[Result]) -> dict[str, Any]:
    """Counts and results; `ok` is whether nothing failed."""
    counts = Counter(result.ending for result in results)
    return {
        "ok": counts["failed"] == 0,
        **{ending: counts[ending] for ending in ("passed", "failed", "skipped")},
        "results": [result.model_dump() for result in results],
    }


def as_junit(results: Sequence[Result]) -> str:
    """The document, with one suite per tool."""
    root = ElementTree.Element("testsuites", _numbers(results))
    for tool in dict.fromkeys(result.tool for result in results):
        own = [result for result in results if result.tool == tool]
        suite = ElementTree.SubElement(root, "testsuite", {"name": tool, **_numbers(own)})
        for result in own:
            _add_case(suite, result)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _add_case(suite: ElementTree.Element, result: Result) -> None:
    attributes = {
        "classname": f"{result.tool}.{result.capability}.{result.pattern}",
        "name": _clean(result.name),
        "time": f"{result.duration_s:.3f}",
    }
    case = ElementTree.SubElement(suite, "testcase", attributes)
    message = _clean(result.message)
    if result.ending == "failed":
        failure = ElementTree.SubElement(case, "failure", {"message": message[:200]})
        failure.text = message
    elif result.ending == "skipped":
        ElementTree.SubElement(case, "skipped", {"message": message[:200]})


def _numbers(results: Sequence[Result]) -> dict[str, str]:
    counts = Counter(result.ending for result in results)
    return {
        "tests": str(len(results)),
        "failures": str(counts["failed"]),
        "skipped": str(counts["skipped"]),
        "time": f"{sum(result.duration_s for result in results):.3f}",
    }


def _clean(text: str) -> str:
    """Characters that no XML document may hold become a mark."""
    return _NOT_IN_XML.sub("\ufffd", text)
