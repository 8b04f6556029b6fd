"""Any sequence of operations: versions, latest, stable and the audit log agree with a model."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from factories import make_tool_spec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tool_catalog_pipelines.catalog import history
from tool_catalog_pipelines.catalog.connect import Catalog, open_catalog
from tool_catalog_pipelines.errors import InvalidInputError
from tool_catalog_pipelines.spec.base import ToolRef

NAMES = st.sampled_from(["echo", "cat"])
NUMBERS = st.integers(0, 3)
CONTENTS = st.integers(1, 4)


@dataclass
class Version:
    content: int
    enabled: bool = True
    status: str = "active"
    deleted: bool = False

    @property
    def is_active(self) -> bool:
        return self.enabled and self.status == "active" and not self.deleted


class Model:
    """One tool as the documentation describes it: versions 1.0.n, pointers, entries."""

    def __init__(self) -> None:
        self.versions: dict[int, Version] = {}
        self.latest: int | None = None
        self.stable: int | None = None
        self.entries = 0

    def save(self, number: int, content: int) -> None:
        alive = {n: v for n, v in self.versions.items() if not v.deleted}
        if (self.versions and not alive) or content in {v.content for v in alive.values()}:
            return
        while number in self.versions:
            number += 1
        enabled = not alive or any(version.enabled for version in alive.values())
        self.versions[number] = Version(content, enabled)
        self.entries += 1
        if not alive:
            self.latest = self.stable = number
            return
        replaces = self.latest is None or not self.versions[self.latest].is_active
        if replaces or number > (self.latest or 0):
            self.latest = number

    def settle(self) -> None:
        active = [number for number, version in self.versions.items() if version.is_active]
        if active and (self.latest is None or not self.versions[self.latest].is_active):
            self.latest = max(active)
            self.entries += 1


class Catalogue(RuleBasedStateMachine):
    """Drives the real catalogue and the model side by side."""

    opened: Catalog

    def __init__(self) -> None:
        super().__init__()
        # A tenant of its own is an empty catalogue of its own.
        self.tenant = f"t{uuid.uuid4().hex[:12]}"
        self.settings = replace(self.opened.settings, tenant=self.tenant)
        self.entered = open_catalog(self.settings)
        self.catalog = self.entered.__enter__()
        self.tools = {"echo": Model(), "cat": Model()}

    def teardown(self) -> None:
        self.entered.__exit__(None, None, None)

    @rule(name=NAMES, number=NUMBERS, content=CONTENTS)
    def save(self, name: str, number: int, content: int) -> None:
        spec = make_tool_spec(f"linux/{name}@1.0.{number}", time_estimate_ms=str(content))
        self.catalog.editor.save_tool(spec, "test")
        self.tools[name].save(number, content)

    @rule(name=NAMES, number=NUMBERS)
    def roll_back(self, name: str, number: int) -> None:
        model = self.tools[name]
        version = model.versions.get(number)
        try:
            self.catalog.editor.roll_back(ToolRef(name, "linux", f"1.0.{number}"), "test")
        except InvalidInputError:
            assert version is None or not version.enabled
            return
        assert version is not None
        assert version.enabled
        model.entries += version.deleted
        version.deleted = False
        model.entries += model.latest != number
        model.latest = number

    @rule(name=NAMES, number=NUMBERS)
    def promote(self, name: str, number: int) -> None:
        model = self.tools[name]
        version = model.versions.get(number)
        try:
            self.catalog.editor.promote(ToolRef(name, "linux", f"1.0.{number}"), "stable", "test")
        except InvalidInputError:
            assert version is None or version.deleted or not version.enabled
            return
        model.entries += model.stable != number
        model.stable = number

    @rule(name=NAMES, number=st.none() | NUMBERS, what=st.sampled_from(["enable", "disable"]))
    def switch(self, name: str, number: int | None, what: str) -> None:
        model = self.tools[name]
        chosen = self.chosen(name, number)
        if what == "enable" and number is not None and number in model.versions:
            chosen = [model.versions[number]]  # a deleted one too, so that it can be rolled back to
        try:
            getattr(self.catalog.editor, what)(self.ref(name, number), "test")
        except InvalidInputError:
            assert not chosen
            return
        for version in chosen:
            before = (version.enabled, version.status)
            version.enabled = what == "enable"
            if what == "enable":
                version.status = "active"
            model.entries += (version.enabled, version.status) != before
        model.settle()

    @rule(name=NAMES, number=st.none() | NUMBERS)
    def deprecate(self, name: str, number: int | None) -> None:
        model = self.tools[name]
        chosen = self.chosen(name, number)
        try:
            self.catalog.editor.deprecate(self.ref(name, number), "test")
        except InvalidInputError:
            assert not chosen
            return
        for version in chosen:
            model.entries += version.status != "deprecated"
            version.status = "deprecated"
        model.settle()

    @rule(name=NAMES, number=st.none() | NUMBERS)
    def delete(self, name: str, number: int | None) -> None:
        model = self.tools[name]
        chosen = self.chosen(name, number)
        try:
            self.catalog.editor.delete(self.ref(name, number), "test")
        except InvalidInputError:
            assert not chosen
            return
        for version in chosen:
            version.deleted = True
            model.entries += 1
        for channel in ("latest", "stable"):
            at = getattr(model, channel)
            if at is not None and model.versions[at].deleted:
                setattr(model, channel, None)
        model.settle()

    def chosen(self, name: str, number: int | None) -> list[Version]:
        versions = self.tools[name].versions.items()
        return [v for n, v in versions if not v.deleted and number in (None, n)]

    @staticmethod
    def ref(name: str, number: int | None) -> ToolRef:
        return ToolRef(name, "linux", None if number is None else f"1.0.{number}")

    @invariant()
    def agrees(self) -> None:
        snapshot = self.catalog.store.snapshot()
        on_disk = self.catalog.publish()
        for name, model in self.tools.items():
            wanted = {
                f"1.0.{number}": (
                    version.enabled,
                    version.status,
                    number == model.latest,
                    number == model.stable,
                )
                for number, version in model.versions.items()
                if not version.deleted
            }
            for seen in (snapshot, on_disk):
                found = {
                    tool.header.version: (
                        tool.header.enabled,
                        tool.header.status,
                        "latest" in tool.channels,
                        "stable" in tool.channels,
                    )
                    for tool in seen.by_name.get(name, ())
                }
                assert found == wanted
            with self.catalog.store.reading() as connection:
                query = history.AuditQuery(self.tenant, f"linux/{name}")
                entries = list(history.entries(connection, query))
            assert len(entries) == model.entries
            revisions = [entry["revision"] for entry in entries]
            assert revisions == sorted(revisions, reverse=True)


@pytest.fixture
def machine(catalog: Catalog) -> Iterator[type[Catalogue]]:
    yield type("Bound", (Catalogue,), {"opened": catalog})


def run(machine: type[Catalogue], examples: int, steps: int) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_any_sequence_of_operations_agrees_with_the_model(machine: type[Catalogue]) -> None:
    run(machine, examples=8, steps=20)


@pytest.mark.slow
def test_many_long_sequences_agree_with_the_model(machine: type[Catalogue]) -> None:
    run(machine, examples=60, steps=50)
