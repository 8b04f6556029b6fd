"""Whether what is derived from the catalogue follows it: the snapshot on disk, the search index.

Does not belong here: bringing them up to date (connect.py, search/index.py).
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from tool_catalog_pipelines.catalog.connect import Catalog
from tool_catalog_pipelines.catalog.feed import Place, current_place
from tool_catalog_pipelines.catalog.sources import snapshot_on_disk
from tool_catalog_pipelines.db.schema import search_state


@dataclass(frozen=True, slots=True)
class Followers:
    """Where the database stands, and where those that follow it do; None for one not made yet."""

    database: Place
    on_disk: Place | None
    index: Place | None

    def is_current(self, follower: Place | None) -> bool:
        """Whether a follower has seen every change; one that was read later may be ahead."""
        return (
            follower is not None
            and follower.catalog_id == self.database.catalog_id
            and follower.revision >= self.database.revision
        )


def followers_of(catalog: Catalog) -> Followers:
    """Where they stand now; the database is read first."""
    with catalog.store.reading() as connection:
        database = current_place(connection)
        row = connection.execute(
            select(search_state.c.catalog_id, search_state.c.revision)
        ).one_or_none()
    snapshot = snapshot_on_disk(catalog.settings)
    return Followers(
        database=database,
        on_disk=Place(snapshot.catalog_id, snapshot.revision) if snapshot is not None else None,
        index=Place(str(row.catalog_id), row.revision) if row is not None else None,
    )
