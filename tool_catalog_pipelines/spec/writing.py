"""Plain JSON values -> the YAML of our files, as a person would write it.

The opposite of spec/reader.py: what is written here reads back as the same values, although the
reader follows YAML 1.2 and the library writes YAML 1.1. Does not belong here: what is written
(catalog/export.py), files.
"""

from __future__ import annotations

from typing import Any

import yaml

from tool_catalog_pipelines.spec.scalars import plain_scalar

WIDTH = 100
_TEXT_TAG = "tag:yaml.org,2002:str"


def yaml_text(value: Any) -> str:
    """The YAML of a value: block style, keys in their order, texts quoted only where needed."""
    return yaml.dump(
        value,
        Dumper=_Dumper,
        allow_unicode=True,
        sort_keys=False,
        width=WIDTH,
        default_flow_style=False,
    )


class _Dumper(yaml.SafeDumper):
    """Writes no aliases, which the reader refuses, and long texts as blocks."""

    def ignore_aliases(self, data: Any) -> bool:
        """Repeat a value instead of referring to it."""
        del data
        return True


def _text(_dumper: _Dumper, value: str) -> yaml.ScalarNode:
    """A text that the reader would take for something else is quoted."""
    is_plain = value.isprintable() and _stays_text(value)
    return yaml.ScalarNode(_TEXT_TAG, value, style=None if is_plain else '"')


def _stays_text(value: str) -> bool:
    try:
        return value != "" and plain_scalar(value) == value
    except ValueError:
        return False


_Dumper.add_representer(str, _text)
