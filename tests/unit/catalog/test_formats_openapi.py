"""OpenAPI documents: what an operation becomes, what is refused, and that all is bounded."""

from __future__ import annotations

import json
from typing import Any

import pytest
from foreign_files import (
    FOREIGN,
    converted,
    converted_value,
    mutated,
    notes_of,
    pattern_of,
    tools_of,
)

from tool_catalog_pipelines.catalog.formats import schema_values
from tool_catalog_pipelines.catalog.formats.openapi import MAX_OPERATIONS
from tool_catalog_pipelines.spec.binding import HttpBinding
from tool_catalog_pipelines.spec.load import read_foreign_file

OK = {"200": {"description": "ok"}}


def document(**more: Any) -> dict[str, Any]:
    return {"openapi": "3.1.0", "info": {"title": "T", "version": "1.0.0"}, "paths": {}, **more}


def one(operation: dict[str, Any], path: str = "/x", method: str = "get", **more: Any) -> Any:
    """The only tool of a document with one operation."""
    whole = document(
        **{
            "servers": [{"url": "https://a.example"}],
            "paths": {path: {method: {"responses": OK, **operation}}},
            **more,
        }
    )
    result = converted_value(whole)
    assert result.problems == ()
    (tool,) = tools_of(result).values()
    return tool


def problems(whole: dict[str, Any]) -> str:
    result = converted_value(whole)
    assert result.drafts == ()
    return " ".join(map(str, result.problems))


def binding_of(tool: Any) -> HttpBinding:
    binding = pattern_of(tool).binding
    assert isinstance(binding, HttpBinding)
    return binding


def test_an_operation_becomes_a_tool_with_a_binding() -> None:
    tool = tools_of(converted("openapi.yaml"))["getPet"]
    pattern, binding = pattern_of(tool), binding_of(tool)
    assert (binding.method, binding.url) == ("GET", "https://eu.example.com/v2/pets/{pet_id}")
    assert binding.query == {"fields": "{fields}"}
    assert binding.headers == {"X-Trace": "{x_trace}", "X-Api-Key": "${secret:pets_key}"}
    assert [(one.name, one.type) for one in pattern.required_inputs] == [("pet_id", "integer")]
    assert pattern.inputs["fields"].allowed_values == ("name", "age")
    assert pattern.inputs["pet_id"].range is not None
    assert pattern.inputs["pet_id"].range[0] == 1
    assert (pattern.effects, tool.requires_auth, tool.version) == ("read", True, "2.1")
    assert list(tool.capabilities) == ["pets"]
    assert tool.metadata["tags"] == ["pets", "reading"]


def test_no_estimate_is_invented() -> None:
    for tool in tools_of(converted("openapi.yaml")).values():
        assert pattern_of(tool).time_estimate_ms is None
        assert pattern_of(tool).cost_estimate is None


def test_schemas_are_inlined_and_circles_end() -> None:
    (output,) = pattern_of(tools_of(converted("openapi.yaml"))["getPet"]).expected_outputs
    assert output.schema_ is not None
    assert "$ref" not in json.dumps(output.schema_)
    assert output.schema_["properties"]["mother"] == {}
    assert sorted(output.schema_["required"]) == ["kind", "name"]
    assert output.schema_["properties"]["age"] == {
        "type": ["number", "null"],
        "description": "Years",
        "exclusiveMinimum": 0,
    }


def test_a_json_body_becomes_inputs() -> None:
    tool = tools_of(converted("openapi.yaml"))["etc-passwd"]
    pattern = pattern_of(tool)
    assert binding_of(tool).body == {
        "kind": "{kind}",
        "name": "{name}",
        "age": "{age}",
        "mother": "{mother}",
    }
    assert {one.name for one in pattern.required_inputs} == {"pet_id", "kind", "name"}
    assert pattern.inputs["kind"].type == "object"
    assert (pattern.effects, tool.retries) == ("system", 0)


def test_what_was_changed_is_noted() -> None:
    result = converted("openapi.yaml")
    notes = notes_of(result, "etc-passwd")
    assert notes["tool_name"] == "etc-passwd"
    assert notes["inputs.kind.type"] == "object"
    assert notes["retries"] == "0"
    assert notes_of(result, "getpet-2")["tool_name"] == "getpet-2"
    assert all(
        line.position
        for draft in result.drafts
        for line in draft.coerced
        if line.field == "tool_name"
    )


def test_a_body_that_is_not_json_leaves_the_tool_without_binding() -> None:
    pattern = pattern_of(tools_of(converted("openapi.yaml"))["getpet-2"])
    assert pattern.binding is None
    assert any("multipart" in text for text in pattern.limitations)


def test_deprecated_operations_and_open_ones() -> None:
    (tool,) = [
        one for one in tools_of(converted("openapi.yaml")).values() if one.status == "deprecated"
    ]
    assert not tool.requires_auth
    assert binding_of(tool).headers == {}
    assert binding_of(tool).output.parser == "none"


def test_a_remote_reference_refuses_its_operation_only() -> None:
    result = converted("openapi.yaml")
    assert len(result.drafts) == 4
    (problem,) = result.problems
    assert "other.yaml" in problem.message
    assert problem.position is not None
    assert problem.position.line == 32


def test_a_relative_server_becomes_an_input() -> None:
    tool = one({}, servers=[{"url": "/api/v3"}])
    assert binding_of(tool).url == "{base_url}/api/v3/x"
    assert [spec.name for spec in pattern_of(tool).required_inputs] == ["base_url"]


@pytest.mark.parametrize(
    "url", ["file:///etc", "javascript:alert(1)", "https://{x}/", "http://[", "ftp://a"]
)
def test_addresses_that_are_not_http_are_never_used(url: str) -> None:
    assert binding_of(one({}, servers=[{"url": url}])).url == "{base_url}/x"


def test_a_password_in_an_address_is_dropped() -> None:
    tool = one({}, servers=[{"url": "https://me:hunter2@a.example:8443/v1"}])
    assert binding_of(tool).url == "https://a.example:8443/v1/x"
    assert "hunter2" not in tool.model_dump_json()


@pytest.mark.parametrize(
    ("scheme", "headers", "query"),
    [
        ({"type": "http", "scheme": "bearer"}, {"Authorization": "Bearer ${secret:t_s}"}, {}),
        ({"type": "http", "scheme": "basic"}, {"Authorization": "Basic ${secret:t_s}"}, {}),
        ({"type": "oauth2", "flows": {}}, {"Authorization": "Bearer ${secret:t_s}"}, {}),
        ({"type": "apiKey", "in": "query", "name": "k"}, {}, {"k": "${secret:t_s}"}),
        ({"type": "apiKey", "in": "cookie", "name": "k"}, {"Cookie": "k=${secret:t_s}"}, {}),
    ],
)
def test_security_is_a_reference_to_a_secret(scheme: Any, headers: Any, query: Any) -> None:
    tool = one({"security": [{"s": []}]}, components={"securitySchemes": {"s": scheme}})
    assert tool.requires_auth
    assert (binding_of(tool).headers, binding_of(tool).query) == (headers, query)


def test_security_that_cannot_be_kept_leaves_no_binding() -> None:
    schemes = {
        "s": {"type": "mutualTLS"},
        "t": {"type": "apiKey", "in": "header", "name": "a\r\nb"},
    }
    for name in schemes:
        tool = one({"security": [{name: []}]}, components={"securitySchemes": schemes})
        assert tool.requires_auth
        assert pattern_of(tool).binding is None


def test_examples_and_defaults_of_secrets_are_left_out() -> None:
    parameter = {"name": "password", "in": "query", "description": "p", "example": "hunter2",
                 "schema": {"type": "string", "default": "hunter2"}}  # fmt: skip
    assert "hunter2" not in one({"parameters": [parameter]}).model_dump_json()


def test_swagger_2_is_refused_with_a_way_out() -> None:
    said = problems({"swagger": "2.0", "info": {}, "paths": {}})
    assert "Swagger 2.0" in said
    assert "swagger2openapi" in said


def test_other_versions_are_refused() -> None:
    assert "version of OpenAPI" in problems(document(openapi="4.0.0"))
    assert "no 'paths'" in problems({"openapi": "3.1.0", "info": {}})


def test_too_many_operations_are_refused() -> None:
    paths = {f"/{at}": {"get": {}} for at in range(MAX_OPERATIONS + 1)}
    assert f"{MAX_OPERATIONS + 1} operations" in problems(document(paths=paths))


@pytest.mark.parametrize("path", ["x", "/../etc", "/a\x1bb", "/a b", "/" + "a" * 2100])
def test_paths_that_are_no_paths_are_refused(path: str) -> None:
    result = converted_value(document(paths={path: {"get": {"responses": OK}}}))
    assert result.drafts == ()
    assert result.problems


@pytest.mark.parametrize(
    "written", ["../../x", "a\x1b[31mb", "n" * 300, "\u202eevil", "a/b\\c", "x\0y"]
)
def test_hostile_names_are_made_plain_or_refused(written: str) -> None:
    parameter = {"name": "p", "in": "query", "schema": {"type": "string"}}
    whole = document(paths={"/x": {"get": {"operationId": written, "parameters": [parameter]}}})
    for name in tools_of(converted_value(whole)):
        assert name != written
        assert len(name) <= 100
        assert "/" not in name
        assert ".." not in name
        assert name.isprintable()


def test_references_in_circles_end() -> None:
    def part(name: str, other: str) -> dict[str, Any]:
        inner = {"$ref": f"#/components/schemas/{other}"}
        return {"allOf": [inner], "properties": {name.lower(): {"type": "string"}}}

    schemas: dict[str, Any] = {
        "A": {"$ref": "#/components/schemas/B"},
        "B": {"$ref": "#/components/schemas/A"},
        "C": part("C", "D"),
        "D": part("D", "C"),
    }
    for name, is_fine in (("A", False), ("C", True)):
        schema = {"$ref": f"#/components/schemas/{name}"}
        body = {"required": True, "content": {"application/json": {"schema": schema}}}
        whole = document(
            paths={"/x": {"post": {"requestBody": body, "responses": OK}}},
            components={"schemas": schemas},
        )
        result = converted_value(whole)
        assert bool(result.drafts) is is_fine
        assert bool(result.problems) is not is_fine


def test_references_that_multiply_are_bounded() -> None:
    def twice(at: int) -> dict[str, Any]:
        inner = {"$ref": f"#/components/schemas/S{at + 1}"}
        return {"allOf": [inner, {"properties": {"a": inner, "b": inner}}], "oneOf": [inner, inner]}

    schemas: dict[str, Any] = {f"S{at}": twice(at) for at in range(30)}
    schemas["S30"] = {"type": "string"}
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/S0"}}}
    whole = document(
        paths={"/x": {"get": {"responses": {"200": {"content": content}}}}},
        components={"schemas": schemas},
    )
    result = converted_value(whole)
    assert len(result.drafts) + len(result.problems) == 1
    tools_of(result)


def test_the_work_for_a_whole_document_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema_values, "MAX_ALL_STEPS", 50)
    operation = {"requestBody": {"$ref": "#/components/requestBodies/B"}, "responses": OK}
    paths = {f"/{at}": {"post": operation} for at in range(100)}
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    body = {"content": {"application/json": {"schema": schema}}}
    result = converted_value(document(paths=paths, components={"requestBodies": {"B": body}}))
    assert 0 < len(result.drafts) < 50
    assert "too much work" in result.problems[-1].message


def test_many_operations_of_one_name_get_numbers() -> None:
    paths = {f"/{at}": {"get": {"operationId": "same", "responses": OK}} for at in range(40)}
    names = [draft.document["tool_name"] for draft in converted_value(document(paths=paths)).drafts]
    assert names[:3] == ["same", "same-2", "same-3"]
    assert len(set(names)) == 40


def test_a_huge_enum_and_slow_regexes_are_left_out() -> None:
    huge = {
        "name": "huge",
        "in": "query",
        "schema": {"type": "string", "enum": [str(n) for n in range(9000)]},
    }
    slow = {
        "name": "slow",
        "in": "query",
        "schema": {"type": "string", "pattern": "^(a+)+$", "default": "a" * 40 + "!"},
    }
    inputs = pattern_of(one({"parameters": [huge, slow]})).inputs
    assert inputs["huge"].allowed_values is None
    assert inputs["slow"].validation is None


@pytest.mark.parametrize(
    "pattern", ["(a|aa)*$", "(a*)*", "(?:a+){9}", "a*a*a*a*a*b", "a?" * 20 + "a{20}", "(", "[["]
)
def test_regexes_that_may_run_for_ages_are_left_out(pattern: str) -> None:
    schema = {"type": "string", "pattern": pattern, "default": "a" * 60 + "!"}
    parameter = {"name": "p", "in": "query", "schema": schema}
    assert pattern_of(one({"parameters": [parameter]})).inputs["p"].validation is None


def test_a_text_that_takes_long_to_check_is_left_out() -> None:
    schema = {"type": "string", "pattern": "a*b*c*d$", "default": "a" * 3000}
    parameter = {"name": "p", "in": "query", "schema": schema}
    spec = pattern_of(one({"parameters": [parameter]})).inputs["p"]
    assert (spec.validation, spec.default) == ("a*b*c*d$", None)


def test_numbers_as_keys_of_yaml_are_taken(tmp_path: Any) -> None:
    text = (
        (FOREIGN / "openapi.yaml").read_text().replace('"200":', "200:").replace('"204":', "204:")
    )
    path = tmp_path / "openapi.yaml"
    path.write_text(text)
    assert read_foreign_file(path).value == read_foreign_file(FOREIGN / "openapi.yaml").value


def test_mutated_documents_give_drafts_or_problems() -> None:
    whole = read_foreign_file(FOREIGN / "openapi.yaml").value
    for seed in range(300):
        tools_of(converted_value(mutated(whole, seed)))
