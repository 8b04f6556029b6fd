"""References to secrets in bindings, `${secret:name}`: looked up late, kept out of every text.

Does not belong here: where the values come from (settings.py), what uses them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from tool_catalog_pipelines.execution.context import AttemptError, SecretSource

REFERENCE = re.compile(r"\$\{secret:(?P<name>[A-Za-z0-9][A-Za-z0-9_.-]*)\}")
MASK = "***"


class UsedSecrets:
    """The secrets of one attempt: resolves references, then hides the values that were used."""

    def __init__(self, source: SecretSource) -> None:
        self._source = source
        self._values: dict[str, str] = {}

    def resolved(self, text: str) -> str:
        """The text with its references replaced by their values.

        Raises:
            AttemptError: of kind SecretMissing; it names the secret and where to set it.
        """
        return REFERENCE.sub(lambda match: self._value(match["name"]), text)

    def hidden(self, text: str) -> str:
        """The text without any value that was used."""
        for value in self._longest_first():
            text = text.replace(value, MASK)
        return text

    def hidden_bytes(self, data: bytes) -> bytes:
        """Output without any value that was used."""
        for value in self._longest_first():
            data = data.replace(value.encode(), MASK.encode())
        return data

    def _value(self, name: str) -> str:
        value = self._values.get(name) or self._source(name)
        if not value:
            raise AttemptError(
                "SecretMissing",
                f"the secret {name} is not set; put it into the file {name} of the folder "
                f"secrets, or into the variable {variable_of(name)}",
            )
        self._values[name] = value
        return value

    def _longest_first(self) -> list[str]:
        """A value that is part of another must not leave the rest of the other in sight."""
        return sorted(self._values.values(), key=len, reverse=True)


def variable_of(name: str) -> str:
    """The environment variable that may hold a secret."""
    return "TOOL_CATALOG_SECRET_" + re.sub(r"[.-]", "_", name).upper()


def stored_secrets(folder: Path, variables: Mapping[str, str]) -> SecretSource:
    """Secrets from environment variables (`variables`), else from files of a folder.

    The last line break of a file does not belong to the secret. Files are read at every use, so
    that a changed secret needs no restart.
    """

    def find(name: str) -> str | None:
        given = variables.get(variable_of(name))
        if given:
            return given
        try:
            return (folder / name).read_text(encoding="utf-8").removesuffix("\n")
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise AttemptError(
                "SecretMissing", f"the secret {name} cannot be read: {error}"
            ) from None

    return find
