"""Rules of examples and test cases: inputs that fit, files inside their folder, known places."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from pathlib import PurePosixPath

from tool_catalog_pipelines.spec.base import JsonValue
from tool_catalog_pipelines.spec.check_inputs import check_given_value
from tool_catalog_pipelines.spec.example import (
    Base64Spec,
    ExampleSpec,
    ExpectSpec,
    filled,
    places_in,
)
from tool_catalog_pipelines.spec.notes import Notes, name_hint
from tool_catalog_pipelines.spec.reader import DocumentPath
from tool_catalog_pipelines.spec.tool import PatternSpec

_SERVICE_OF = {"http_url": "http", "http_port": "http", "tcp_port": "tcp", "udp_port": "udp"} | {
    "dns_port": "dns"
}


def check_examples(pattern: PatternSpec, path: DocumentPath, notes: Notes) -> None:
    """Examples and test cases: declared inputs only, every required one, with values that fit."""
    for key in ("examples", "test_cases"):
        calls: Sequence[ExampleSpec] = getattr(pattern, key)
        seen: set[str] = set()
        for at, example in enumerate(calls):
            where = (*path, key, at)
            if example.name in seen:
                message = f"two of the {key} are called '{example.name}'"
                notes.add((*where, "name"), message, "rename one of the two", "duplicate")
            seen.add(example.name)
            _check_inputs(example, pattern, where, notes)
            _check_surroundings(example, where, notes)


def _check_inputs(
    example: ExampleSpec, pattern: PatternSpec, where: DocumentPath, notes: Notes
) -> None:
    for spec in pattern.required_inputs:
        if spec.name not in example.inputs and spec.default is None:
            notes.add(
                where,
                f"the example '{example.name}' lacks the required input '{spec.name}'",
                f"add '{spec.name}: ...' to its inputs",
                "example",
            )
    for name, value in example.inputs.items():
        at = (*where, "inputs", name)
        spec = pattern.inputs.get(name)
        if spec is None:
            message = f"the example '{example.name}' gives '{name}', which is not declared"
            hint = name_hint(name, pattern.inputs, "inputs") or "the pattern has no inputs"
            notes.add(at, message, hint, "example", at_key=True)
        elif not example.should_fail:  # a call that must fail may give a value that does not fit
            what = f"'{name}' of the example '{example.name}'"
            check_given_value(spec, filled(value), at, what, notes)


def _check_surroundings(example: ExampleSpec, where: DocumentPath, notes: Notes) -> None:
    """Files stay in their folder, servers that are used are asked for, results do not clash."""
    for name, content in example.files.items():
        at = (*where, "files", name)
        if not _is_inside(name):
            message = f"the file '{name}' would not be inside the scratch folder"
            notes.add(at, message, "write a relative path without '..'", "example", at_key=True)
        if isinstance(content, Base64Spec) and not _is_base64(content.base64):
            notes.add(at, f"the content of '{name}' is not base64", "see 'base64 --help'")
    commands: JsonValue = [list(argv) for argv in example.prepare]
    for place in sorted(places_in([example.inputs, commands])):
        service = _SERVICE_OF.get(place)
        if service is not None and service not in example.serve:
            message = f"the example '{example.name}' uses {{{place}}}, but nothing serves it"
            notes.add(where, message, f"add 'serve: [{service}]'", "example")
    if example.should_fail and example.expect != ExpectSpec():
        message = f"the example '{example.name}' has both should_fail and expect"
        notes.add((*where, "should_fail"), message, "keep one of the two", "example")


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return bool(name) and not path.is_absolute() and ".." not in path.parts and "\0" not in name


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True
