"""Files -> catalogue. A tool is imported whole or not at all, and never stops the others.

The last imported content of each file is remembered, so that an unchanged file never undoes what
was changed in the database since. Files are saved in batches, each one transaction; a batch that
the database refuses is repeated one by one, to find what it refuses. Does not belong here: reading
files (import_files.py), the rules of versions (saving.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from tool_catalog_pipelines.catalog import import_rows
from tool_catalog_pipelines.catalog.connect import Catalog
from tool_catalog_pipelines.catalog.import_files import (
    Candidate,
    importable_files,
    read_candidates,
    shown_as,
)
from tool_catalog_pipelines.catalog.import_report import ImportReport
from tool_catalog_pipelines.catalog.import_rows import Imported, Remembered
from tool_catalog_pipelines.catalog.saving import OnConflict, Saved, Terms, Turn, save_version
from tool_catalog_pipelines.catalog.versioning import order_key
from tool_catalog_pipelines.errors import InvalidInputError, Problem
from tool_catalog_pipelines.spec.tool import ToolSpec

Progress = Callable[[int, int, str], None]
"""Done, all, and what is being done."""
BATCH = 50


@dataclass(frozen=True, slots=True)
class ImportRules:
    """How an import behaves.

    Attributes:
        on_conflict: what becomes of changed content under a number that exists.
        is_dry_run: everything is done and then taken back.
        origin: through what the import comes, for the audit log; by default it is named after
            the file or folder.
    """

    on_conflict: OnConflict = "new_version"
    is_dry_run: bool = False
    origin: str = ""


def import_catalog(
    catalog: Catalog,
    path: Path | None = None,
    rules: ImportRules | None = None,
    progress: Progress | None = None,
) -> ImportReport:
    """Import the tools, then the experiments, of a file or folder (default: that of the settings).

    Raises:
        InvalidInputError: there is no such path.
        DatabaseUnavailableError: the database went away; what was saved before stays.
    """
    return _Import(catalog, path or catalog.settings.catalog_dir, rules, progress).run()


class _Import:
    def __init__(
        self, catalog: Catalog, root: Path, rules: ImportRules | None, progress: Progress | None
    ) -> None:
        self._catalog = catalog
        self._root = root
        self._rules = rules or ImportRules()
        self._progress = progress
        self._report = ImportReport(is_dry_run=self._rules.is_dry_run)

    def run(self) -> ImportReport:
        changed = self._changed(self._read())
        files = {candidate.file for candidate in changed}
        self._report.coerced = {f: c for f, c in self._report.coerced.items() if f in files}
        self._save_all(changed)
        if not self._rules.is_dry_run:
            self._catalog.publish()
        return self._report

    def _read(self) -> list[Candidate]:
        """Every candidate in the order in which it is saved: versions oldest first."""
        paths = importable_files(self._root)
        found: list[Candidate] = []
        for number, path in enumerate(paths, 1):
            file = shown_as(path, self._root)
            self._say(number, len(paths), f"read {file}")
            content = read_candidates(path, file)
            if content.problems:
                self._report.refuse(file, content.problems)
            self._report.coerce(file, content.coerced)
            found.extend(content.candidates)
        return sorted(self._without_twins(found), key=_order)

    def _without_twins(self, candidates: Sequence[Candidate]) -> Iterator[Candidate]:
        """One version of one tool in two places: the second is refused, the first is named."""
        first: dict[tuple[str, str, str], Candidate] = {}
        for candidate in candidates:
            version = candidate.spec.version if isinstance(candidate.spec, ToolSpec) else ""
            twin = first.setdefault((*candidate.entity, version), candidate)
            if twin is candidate:
                yield candidate
                continue
            name = " ".join(part for part in (candidate.entity[1], version) if part)
            problem = Problem(
                f"{name} is in {twin.position} too",
                candidate.position,
                "give one of the two another version or name",
                "duplicate",
            )
            self._report.refuse(candidate.file, [problem])

    def _changed(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Those that are not as they were when last imported."""
        with self._catalog.store.reading() as connection:
            known = import_rows.digests(connection, self._catalog.settings.tenant)
        changed: list[Candidate] = []
        for candidate in candidates:
            if known.get(_imported(candidate)) == candidate.digest:
                saved = Saved(_label(candidate), "unchanged")
                self._report.add(candidate.file, saved, candidate.format)
            else:
                changed.append(candidate)
        return changed

    def _save_all(self, candidates: Sequence[Candidate]) -> None:
        # A dry run is one transaction, so that later candidates see what earlier ones would do.
        step = (len(candidates) or 1) if self._rules.is_dry_run else BATCH
        for start in range(0, len(candidates), step):
            batch = candidates[start : start + step]
            try:
                self._save_batch(batch)
            except DBAPIError:
                for candidate in batch:
                    self._save_alone(candidate)
            self._say(start + len(batch), len(candidates), f"save {batch[-1].file}")

    def _save_alone(self, candidate: Candidate) -> None:
        try:
            self._save_batch((candidate,))
        except DBAPIError as error:
            problem = Problem(f"the database refuses it: {error.orig}", candidate.position)
            self._report.refuse(candidate.file, [problem])

    def _save_batch(self, batch: Sequence[Candidate]) -> None:
        """One transaction; the report gets its lines when it is committed."""
        outcomes: list[tuple[Candidate, Saved | InvalidInputError]] = []
        origin = self._rules.origin or f"import {self._root.name}"
        with self._catalog.editor.turn(origin, is_trial=self._rules.is_dry_run) as turn:
            outcomes.extend((candidate, self._save(turn, candidate)) for candidate in batch)
        for candidate, outcome in outcomes:
            if isinstance(outcome, InvalidInputError):
                self._report.refuse(candidate.file, _placed(outcome, candidate))
            else:
                self._report.add(candidate.file, outcome, candidate.format)

    def _save(self, turn: Turn, candidate: Candidate) -> Saved | InvalidInputError:
        imported = _imported(candidate)
        before = import_rows.find(turn.connection, turn.author.tenant, imported)
        try:
            saved = self._saved(turn, candidate, before)
        except InvalidInputError as error:
            return error
        if saved.outcome != "conflict" or saved.tool_id is not None:
            led_to = Remembered(candidate.digest, saved.tool_id)
            import_rows.remember(turn.connection, turn.author, imported, led_to)
        return saved

    def _saved(self, turn: Turn, candidate: Candidate, before: Remembered | None) -> Saved:
        if not isinstance(candidate.spec, ToolSpec):
            outcome = self._catalog.editor.save_experiment_in(turn, candidate.spec)
            return Saved(candidate.spec.experiment, outcome)
        terms = Terms(
            reason=f"import of {candidate.file}",
            on_conflict=self._rules.on_conflict,
            from_file=before is not None,
            previous_id=before.tool_id if before is not None else None,
        )
        return save_version(turn, candidate.spec, terms)

    def _say(self, done: int, size: int, what: str) -> None:
        if self._progress is not None:
            self._progress(done, size, what)


def _imported(candidate: Candidate) -> Imported:
    return Imported(candidate.file, *candidate.entity)


def _label(candidate: Candidate) -> str:
    spec = candidate.spec
    if isinstance(spec, ToolSpec):
        return f"{spec.platform}/{spec.tool_name}@{spec.version}"
    return spec.experiment


def _order(candidate: Candidate) -> tuple[bool, bool, tuple[str, str], object]:
    """Tools first; active experiments last, so that one may end and the next begin at once."""
    spec = candidate.spec
    if isinstance(spec, ToolSpec):
        return (False, False, candidate.entity, order_key(spec.version))
    return (True, spec.status == "active", candidate.entity, candidate.file)


def _placed(error: InvalidInputError, candidate: Candidate) -> list[Problem]:
    return [
        Problem(p.message, p.position or candidate.position, p.hint, p.code) for p in error.problems
    ]
