"""References to secrets: late, from variables or files, and never in sight."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from factories import make_tool_spec

from tool_catalog_pipelines.execution.binding import Usage, execute_binding
from tool_catalog_pipelines.execution.context import AttemptError, no_secrets
from tool_catalog_pipelines.execution.http_request import render_request
from tool_catalog_pipelines.execution.python_functions import FunctionContext
from tool_catalog_pipelines.execution.secrets import UsedSecrets, stored_secrets, variable_of
from tool_catalog_pipelines.execution.texts import filled_text
from tool_catalog_pipelines.settings import secret_variables
from tool_catalog_pipelines.spec.binding import Binding, HttpBinding


def binding_of(**binding: Any) -> Binding:
    spec = make_tool_spec(binding=binding)
    (pattern,) = next(iter(spec.capabilities.values())).patterns.values()
    assert pattern.binding is not None
    return pattern.binding


def request_of(secrets: UsedSecrets, **call: Any) -> Any:
    binding = binding_of(kind="http", method="GET", **call)
    assert isinstance(binding, HttpBinding)
    return render_request(binding, call.pop("inputs", {}), secrets, 5)


def test_a_variable_comes_before_a_file(tmp_path: Path) -> None:
    (tmp_path / "api-key").write_text("from the file\n", encoding="utf-8")
    from_file = stored_secrets(tmp_path, {})
    assert from_file("api-key") == "from the file"
    assert from_file("other") is None
    variables = secret_variables({"TOOL_CATALOG_SECRET_API_KEY": "given", "HOME": "/root"})
    assert list(variables) == [variable_of("api-key")]
    assert stored_secrets(tmp_path, variables)("api-key") == "given"


def test_a_changed_file_needs_no_restart(tmp_path: Path) -> None:
    find = stored_secrets(tmp_path, {})
    for value in ("one", "two"):
        (tmp_path / "key").write_text(value, encoding="utf-8")
        assert find("key") == value


def test_a_missing_secret_is_named_with_the_places_to_set_it() -> None:
    with pytest.raises(AttemptError, match=r"api\.key is not set.*TOOL_CATALOG_SECRET_API_KEY"):
        UsedSecrets(no_secrets).resolved("Bearer ${secret:api.key}")


def test_the_value_of_an_input_cannot_name_a_secret() -> None:
    secrets = UsedSecrets(lambda _: "hidden value")
    text = filled_text("{q} ${secret:key}", {"q": "${secret:key}"}, secrets)
    assert text == "${secret:key} hidden value"


def test_what_a_command_prints_of_its_secret_is_hidden(tmp_path: Path) -> None:
    command = binding_of(
        kind="command", argv=["printenv", "TOKEN"], env={"TOKEN": "${secret:token}"},
        output={"parser": "text", "as": "said"},
    )  # fmt: skip
    secrets = UsedSecrets({"token": "s3cr3t-s3cr3t"}.get)
    context = FunctionContext(tmp_path, tmp_path, "r", "c", "s")
    _, output = execute_binding(command, {}, context, 5, Usage(), secrets)
    assert output == {"said": "***"}


def test_what_fails_does_not_show_the_secret(tmp_path: Path) -> None:
    command = binding_of(
        kind="command", argv=["ls", "--", "/nowhere-${secret:token}"],
        output={"parser": "lines", "as": "said"},
    )  # fmt: skip
    context = FunctionContext(tmp_path, tmp_path, "r", "c", "s")
    with pytest.raises(AttemptError) as caught:
        execute_binding(command, {}, context, 5, Usage(), UsedSecrets({"token": "s3cr3t"}.get))
    assert "s3cr3t" not in str(caught.value)
    assert "***" in str(caught.value)


def test_a_request_is_shown_without_query_and_secret() -> None:
    secrets = UsedSecrets({"key": "s3cr3t"}.get)
    request = request_of(
        secrets, url="https://example.test/hooks/${secret:key}/x", query={"token": "${secret:key}"}
    )
    assert request.url == "https://example.test/hooks/s3cr3t/x?token=s3cr3t"
    assert request.shown == "GET https://example.test/hooks/***/x"


def test_longer_secrets_are_hidden_before_their_parts() -> None:
    secrets = UsedSecrets({"a": "abc", "b": "abcdef"}.get)
    secrets.resolved("${secret:a}${secret:b}")
    assert secrets.hidden("abcdef abc") == "*** ***"
