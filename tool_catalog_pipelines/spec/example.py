"""Examples and test cases of a pattern: a call, what it needs, and what is expected of it.

The same shape serves both: an example is shown to people, a test case is only run. Does not
belong here: running them (trials/) and the rules across fields (check_examples.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal, cast

from pydantic import Field

from tool_catalog_pipelines.spec.base import JsonValue, SpecModel, Text

Service = Literal["http", "tcp", "udp", "dns"]
"""Servers on loopback that an example can ask for: `http` serves the scratch folder, `tcp` and
`udp` send back what they get, `dns` answers every question about `example.test`."""
PLACES: Mapping[str, str | int] = {
    "scratch": "/scratch",
    "http_url": "http://127.0.0.1:8080",
    "http_port": 8080,
    "tcp_port": 7007,
    "udp_port": 7007,
    "dns_port": 5353,
}
"""Names that examples may use in braces, with values of the kind that they will have."""
_PLACE = re.compile(r"\{(" + "|".join(PLACES) + r")\}")


class Base64Spec(SpecModel):
    """Content of a file that is no text."""

    base64: str


class ExpectSpec(SpecModel):
    """What must be true of the result.

    `output` is matched as a part: of an object only the given keys are compared, everything else
    must be equal.
    """

    status: Literal["success", "no_result", "failed", "timeout"] = "success"
    output: JsonValue = None


class ExampleSpec(SpecModel):
    """A named call of the pattern.

    It runs in an empty folder: the servers of `serve` are started, `files` (path: text) are made,
    then the argv lists of `prepare` are run. Inputs, files, commands and expected outputs may say
    `{scratch}` (the folder), `{http_url}`, `{http_port}`, `{tcp_port}`, `{udp_port}`, `{dns_port}`.
    `should_fail` is short for `expect: {status: failed}`.
    """

    name: Text
    inputs: dict[str, JsonValue] = {}
    files: dict[str, str | Base64Spec] = {}
    prepare: tuple[Annotated[tuple[str, ...], Field(min_length=1)], ...] = ()
    serve: tuple[Service, ...] = ()
    expect: ExpectSpec = ExpectSpec()
    should_fail: bool = False
    timeout_s: float = Field(default=5.0, gt=0, le=300)

    @property
    def expected_status(self) -> str:
        """The status that the call must end with."""
        return "failed" if self.should_fail else self.expect.status


def filled(value: JsonValue, places: Mapping[str, str | int] = PLACES) -> JsonValue:
    """A value with its places filled in; a text that is one place becomes that place's value."""
    if isinstance(value, str):
        whole = _PLACE.fullmatch(value)
        if whole:
            return places.get(whole[1], value)
        return _PLACE.sub(lambda match: str(places.get(match[1], match[0])), value)
    if isinstance(value, list):
        return [filled(element, places) for element in cast("list[JsonValue]", value)]
    if isinstance(value, Mapping):
        fields = cast("Mapping[str, JsonValue]", value)
        return {key: filled(element, places) for key, element in fields.items()}
    return value


def places_in(value: JsonValue) -> frozenset[str]:
    """The names of the places that a value uses."""
    if isinstance(value, str):
        return frozenset(_PLACE.findall(value))
    if isinstance(value, list):
        elements = cast("list[JsonValue]", value)
    elif isinstance(value, Mapping):
        elements = list(cast("Mapping[str, JsonValue]", value).values())
    else:
        return frozenset()
    return frozenset[str]().union(*(places_in(element) for element in elements))
