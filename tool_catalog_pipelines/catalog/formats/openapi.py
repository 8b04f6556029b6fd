"""OpenAPI 3.0 and 3.1 documents: every operation becomes a tool with an http binding.

Estimates stay unknown: such a document says nothing about time or cost. Does not belong here: one
operation (openapi_operation.py), the values of a call (openapi_call.py).
"""

from __future__ import annotations

from tool_catalog_pipelines.catalog.formats.draft import Converted, Draft
from tool_catalog_pipelines.catalog.formats.foreign import mapping, tool_names
from tool_catalog_pipelines.catalog.formats.openapi_operation import Operation, draft_of
from tool_catalog_pipelines.catalog.formats.schema_values import References, UnreadableError
from tool_catalog_pipelines.errors import Problem
from tool_catalog_pipelines.spec.reader import Document

MAX_OPERATIONS = 5_000
_METHODS = ("get", "head", "options", "post", "put", "patch", "delete")


class OpenApiFormat:
    """A description of an HTTP service, root key `openapi`."""

    @property
    def name(self) -> str:
        """Shown in reports."""
        return "openapi"

    def recognises(self, document: Document) -> bool:
        """Whether the file says that it is an OpenAPI or Swagger document."""
        return "openapi" in document.value or "swagger" in document.value

    def convert(self, document: Document) -> Converted:
        """One draft per operation; an operation that cannot be read is a problem."""
        refused = _refusal(document)
        if refused is not None:
            return Converted((), (refused,))
        found, problems = _operations(document)
        if len(found) > MAX_OPERATIONS:
            message = f"{len(found)} operations, more than the {MAX_OPERATIONS} allowed"
            where = document.key_position(("paths",))
            return Converted((), (Problem(message, where, "split the document", "size"),))
        names = tool_names()
        drafts: list[Draft] = []
        references = References(document.value)
        for operation in found:
            references.begin()
            try:
                drafts.append(draft_of(operation, names, references))
            except UnreadableError as error:
                problems.append(operation.problem(str(error)))
        return Converted(tuple(drafts), tuple(problems))


def _refusal(document: Document) -> Problem | None:
    """Why the whole document cannot be read."""
    if "swagger" in document.value:
        return Problem(
            "Swagger 2.0 documents are not read",
            document.key_position(("swagger",)),
            "convert it to OpenAPI 3, for example with `npx swagger2openapi`",
            "version",
        )
    version = document.value.get("openapi")
    if not isinstance(version, str) or not version.startswith(("3.0", "3.1")):
        where = document.position(("openapi",))
        hint = "convert it to OpenAPI 3.0 or 3.1"
        return Problem("this version of OpenAPI is not read", where, hint, "version")
    if not isinstance(document.value.get("paths"), dict):
        # A document of webhooks or components only is allowed since 3.1.
        where = document.position(("paths",))
        hint = "add the paths of the service; webhooks and components alone are no tools"
        return Problem("the document has no 'paths'", where, hint, "missing_key")
    return None


def _operations(document: Document) -> tuple[list[Operation], list[Problem]]:
    """Every operation of every path, in the order of the file."""
    found: list[Operation] = []
    problems: list[Problem] = []
    for path, written in mapping(document.value["paths"]).items():
        where = ("paths", path)
        if path.startswith("x-"):
            continue
        try:
            item = References(document.value).follow(written)
        except UnreadableError as error:
            place = document.key_position(where)
            problems.append(Problem(str(error), place, "write the operations here", "reference"))
            continue
        if not isinstance(written, dict):
            place = document.key_position(where)
            problems.append(Problem("this path is no mapping", place, "write get:, post: ..."))
            continue
        for method in _METHODS:
            if method not in item:
                continue
            operation = Operation(document, path, method, item, (*where, method))
            if isinstance(item[method], dict):
                found.append(operation)
            else:
                problems.append(operation.problem("the operation is no mapping"))
    return found, problems
