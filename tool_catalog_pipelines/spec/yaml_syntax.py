"""What the YAML parser says about broken syntax -> one sentence for the person who wrote it.

Belongs here: wording. The keys are messages of libyaml 0.2; an unknown message passes through.
"""

from __future__ import annotations

from yaml import Mark, MarkedYAMLError, YAMLError

from tool_catalog_pipelines.errors import Position, Problem

_SENTENCES: dict[str, tuple[str, str]] = {
    "did not find expected key": (
        "this line does not continue the mapping above it",
        "indent it like its neighbours; a text that holds quotes or ': ' must be quoted as a whole",
    ),
    "could not find expected ':'": (
        "a key without ':'",
        "write 'key: value'; a text of several lines must be quoted or begin with '|'",
    ),
    "mapping values are not allowed in this context": (
        "a ':' where no key can stand",
        "quote a value that holds ': ', and indent keys of one mapping alike",
    ),
    "found character that cannot start any token": (
        "no value can begin with this character",
        "quote the value; indent with blanks, not with tabs",
    ),
    "found a tab character that violates indentation": (
        "a tab is used to indent",
        "indent with blanks",
    ),
    "found a tab character where an indentation space is expected": (
        "a tab is used to indent",
        "indent with blanks",
    ),
    "found unexpected end of stream": (
        "the file ends inside the quoted text that begins here",
        "close the quote",
    ),
    "found unexpected document indicator": (
        "a document marker stands inside a quoted text",
        "close the quote before it",
    ),
    "did not find expected ',' or ']'": (
        "a list in brackets is not closed, or a comma is missing",
        "close it with ']'; quote texts that hold brackets, braces or commas",
    ),
    "did not find expected ',' or '}'": (
        "a mapping in braces is not closed, or a comma is missing",
        "close it with '}'; quote texts that hold brackets, braces or commas",
    ),
    "did not find expected '-' indicator": (
        "this line does not continue the list above it",
        "begin it with '- ', indented like the other elements",
    ),
    "block sequence entries are not allowed in this context": (
        "a list element cannot stand here",
        "write the list below its key, one '- ' per line",
    ),
    "block mapping entries are not allowed in this context": (
        "a mapping cannot stand here",
        "write the mapping below its key, indented",
    ),
    "mapping keys are not allowed in this context": (
        "a '?' where no key can stand",
        "quote a text that begins with '?'",
    ),
    "found unknown escape character": (
        "an escape that does not exist in a text in double quotes",
        "write backslashes twice, or use single quotes",
    ),
    "did not find expected hexdecimal number": (
        "an escape in double quotes without its hexadecimal digits",
        "write backslashes twice, or use single quotes",
    ),
    "found invalid Unicode character escape code": (
        "an escape in double quotes that is no character",
        "write backslashes twice, or use single quotes",
    ),
    "did not find expected node content": (
        "a value is missing here",
        "write the value, or null",
    ),
    "did not find expected <document start>": (
        "something stands behind the end of the document",
        "keep one mapping per file, all its keys at the left margin",
    ),
    "found undefined tag handle": (
        "a tag that is not known",
        "remove the tag; quote a text that begins with '!'",
    ),
    "did not find expected alphabetic or numeric character": (
        "'*' or '&' without a name behind it",
        "quote a text that begins with '*' or '&'",
    ),
    "found unexpected ':'": (
        "a ':' directly behind a key in brackets or braces",
        "write a blank behind ':', or quote a text that holds ':'",
    ),
    "found incompatible YAML document": (
        "a YAML version that is not supported",
        "remove the %YAML line",
    ),
}
_BLAMED_ON_THE_BEGINNING = {"could not find expected ':'", "found unexpected end of stream"}
"""The parser notices these late: the place to look at is where the construct began."""
_UNKNOWN_HINT = "correct the syntax at this place"


def syntax_problem(error: YAMLError, file: str) -> Problem:
    """The problem of a file that is not YAML."""
    if not isinstance(error, MarkedYAMLError):
        return Problem(f"not YAML: {error}", Position(file), _UNKNOWN_HINT, "syntax")
    said = error.problem or error.context or "unreadable"
    sentence, hint = _SENTENCES.get(said, (said, _UNKNOWN_HINT))
    if said in _BLAMED_ON_THE_BEGINNING and error.context_mark:
        return Problem(f"not YAML: {sentence}", _position(error.context_mark, file), hint, "syntax")
    mark = error.problem_mark or error.context_mark
    position = _position(mark, file) if mark else Position(file)
    return Problem(f"not YAML: {sentence}{_opened(error)}", position, hint, "syntax")


def _opened(error: MarkedYAMLError) -> str:
    """Where the construct began that is broken later, if that is another line."""
    begin, end = error.context_mark, error.problem_mark
    if begin is None or end is None or begin.line == end.line:
        return ""
    return f"; it began in line {begin.line + 1}, column {begin.column + 1}"


def _position(mark: Mark, file: str) -> Position:
    return Position(file, mark.line + 1, mark.column + 1)
