"""The inputs of a run: defaults, safe conversions, and every fault at once."""

from __future__ import annotations

from typing import Any

import pytest

from tool_catalog_pipelines.errors import InvalidInputError
from tool_catalog_pipelines.planning.inputs import check_inputs
from tool_catalog_pipelines.spec.chain import ChainInputSpec


def declared(**inputs: dict[str, Any]) -> dict[str, ChainInputSpec]:
    return {
        name: ChainInputSpec.model_validate({"description": f"The {name}", **spec})
        for name, spec in inputs.items()
    }


def checked(spec: dict[str, Any], value: Any) -> Any:
    return check_inputs(declared(x=spec), {"x": value}, "chain t")["x"]


def problems_of(inputs: dict[str, ChainInputSpec], given: dict[str, Any]) -> list[str]:
    with pytest.raises(InvalidInputError) as caught:
        check_inputs(inputs, given, "chain t")
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("type_", "given", "value"),
    [
        ("integer", "5", 5),
        ("integer", 5.0, 5),
        ("number", "2.5", 2.5),
        ("boolean", "true", True),
        ("string", "5", "5"),
        ("array", "[1, 2]", [1, 2]),
        ("object", '{"a": 1}', {"a": 1}),
        ("array", [1], [1]),
    ],
)
def test_texts_are_converted_where_nothing_is_lost(type_: str, given: Any, value: Any):
    result = checked({"type": type_}, given)
    assert (result, type(result)) == (value, type(value))


@pytest.mark.parametrize(
    ("spec", "given", "fault"),
    [
        ({"type": "integer"}, "5.5", "must be a whole number, but is the text '5.5'"),
        ({"type": "number"}, "nan", "must be a number, but is the text 'nan'"),
        ({"type": "array"}, "5", "must be a list, but is the number 5"),
        ({"type": "array"}, "[1", "must be a list, but is the text '[1'"),
        ({"type": "array"}, "[NaN]", "must be a list, but is the text '[NaN]'"),
        ({"type": "integer"}, None, "must be a whole number, but is empty (null)"),
        (
            {"type": "integer", "range": [1, 9]},
            "10",
            "must be between 1 and 9, but is the number 10",
        ),
        (
            {"type": "string", "allowed_values": ["a", "b"]},
            "c",
            "must be one of 'a', 'b', but is the text 'c'",
        ),
        (
            {"type": "string", "validation": "^/"},
            "etc",
            "must match the regular expression '^/', but is the text 'etc'",
        ),
    ],
)
def test_what_does_not_fit_is_told(spec: dict[str, Any], given: Any, fault: str):
    assert problems_of(declared(x=spec), {"x": given}) == [
        f"chain t: the input 'x' {fault} (The x)"
    ]


def test_defaults_complete_what_was_given_and_null_may_be_one():
    inputs = declared(
        a={"type": "integer", "default": 1},
        b={"type": "string", "default": None},
        c={"type": "string"},
    )
    assert check_inputs(inputs, {"c": "x"}, "chain t") == {"a": 1, "b": None, "c": "x"}
    assert check_inputs(inputs, {"c": "x", "b": None}, "chain t")["b"] is None


def test_every_fault_is_told_at_once():
    inputs = declared(
        limit={"type": "integer", "range": [1, 9]}, path={"type": "string"}, n={"type": "number"}
    )
    assert problems_of(inputs, {"limti": 1, "limit": 10, "n": "many"}) == [
        "chain t: there is no input 'limti' (did you mean 'limit'? known: limit, path, n)",
        "chain t: the input 'limit' must be between 1 and 9, but is the number 10 (The limit)",
        "chain t: the input 'path' is missing (string: The path)",
        "chain t: the input 'n' must be a number, but is the text 'many' (The n)",
    ]


def test_a_chain_without_inputs_takes_none():
    assert check_inputs({}, {}, "chain t") == {}
    assert problems_of({}, {"x": 1}) == ["chain t: there is no input 'x' (it takes no inputs)"]
