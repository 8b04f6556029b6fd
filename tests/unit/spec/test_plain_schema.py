"""The fast yes about schemas never disagrees with the meta schema."""

from __future__ import annotations

from typing import Any

import jsonschema
from hypothesis import given
from hypothesis import strategies as st

from tool_catalog_pipelines.spec.plain_schema import is_plain_schema

KEYS = (
    "type", "required", "title", "format", "enum", "const", "minimum", "exclusiveMaximum",
    "minLength", "maxItems", "properties", "$defs", "items", "additionalProperties", "not",
    "anyOf", "allOf", "prefixItems", "pattern", "$ref", "x-own",
)  # fmt: skip
LEAVES = st.sampled_from(
    [None, True, False, 0, -1, 1.5, "", "string", "any", [], ["string"], ["a", "a"], ["a", 1], {}]
)
SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: (
        st.dictionaries(st.sampled_from(KEYS), inner, max_size=4) | st.lists(inner, max_size=2)
    ),
    max_leaves=12,
)


@given(SCHEMAS)
def test_a_plain_schema_is_valid(schema: Any) -> None:
    if is_plain_schema(schema):
        jsonschema.Draft202012Validator.check_schema(schema)


def test_usual_schemas_are_plain_and_wrong_ones_are_not() -> None:
    usual = {
        "type": "array",
        "items": {"type": "object", "required": ["a"], "properties": {"a": {}}},
    }
    assert is_plain_schema(usual)
    assert not is_plain_schema({"type": "any"})
    assert not is_plain_schema({"properties": {"a": {"required": True}}})
    assert not is_plain_schema({"pattern": "["})
