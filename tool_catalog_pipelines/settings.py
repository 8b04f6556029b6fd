"""Settings, read once from the environment by a composition root and then passed on.

Belongs here: where state lives, which database, who acts. This is the only module that reads the
environment. Does not belong here: anything that opens a file or a connection.
"""

from __future__ import annotations

import getpass
import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast, get_args

from tool_catalog_pipelines.errors import InvalidInputError

CHECKOUT = Path(__file__).resolve().parent.parent

Source = Literal["yaml", "dual", "database"]
_LONGEST_NAME = 200
_TENANT = re.compile(r"[a-z][a-z0-9_-]{0,62}")


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything an installation can be told from outside.

    Attributes:
        home: folder of all state (`TOOL_CATALOG_HOME`, default `var/` of the checkout).
        database_url: address of a PostgreSQL server, or None for the embedded one
            (`TOOL_CATALOG_DATABASE_URL`).
        catalog_dir: tools, chains and experiments as YAML (`TOOL_CATALOG_YAML_DIR`).
        analytics_dir: SQL for DuckDB (`TOOL_CATALOG_ANALYTICS_DIR`).
        actor: who changes the catalogue and starts runs (`TOOL_CATALOG_ACTOR`, else the OS user).
        tenant: whose tools are changed and seen before the shared ones (`TOOL_CATALOG_TENANT`,
            default `shared`); never empty.
        environment: `TOOL_CATALOG_ENVIRONMENT`, default `production`.
        source: where readers get the catalogue from (`TOOL_CATALOG_SOURCE`): `yaml`, `database`, or
            `dual`, the default: the database first, the files for what it lacks.
        embedder: what makes vectors for search (`TOOL_CATALOG_EMBEDDER`, default `concepts`).
        tie_breaker: who is asked between two tools that are too close (`TOOL_CATALOG_TIE_BREAKER`,
            default nobody).
        host: name of this machine, recorded in facts.
    """

    home: Path
    database_url: str | None
    catalog_dir: Path
    analytics_dir: Path
    actor: str
    tenant: str = "shared"
    environment: str = "production"
    source: Source = "dual"
    embedder: str = "concepts"
    tie_breaker: str = ""
    host: str = "localhost"

    @property
    def dagster_home(self) -> Path:
        """Dagster's own folder, which holds dagster.yaml and compute logs."""
        return self.home / "dagster"

    @property
    def postgres_dir(self) -> Path:
        """Data folder of the embedded PostgreSQL."""
        return self.home / "postgres"

    @property
    def snapshot_path(self) -> Path:
        """The catalogue as last written, replaced atomically by every write."""
        return self.home / "catalog" / "snapshot.json"

    @property
    def reloads_path(self) -> Path:
        """When processes of this installation read changes of the catalogue."""
        return self.home / "catalog" / "reloads.jsonl"

    @property
    def spool_dir(self) -> Path:
        """Facts that PostgreSQL has not confirmed yet."""
        return self.home / "spool"

    @property
    def outputs_dir(self) -> Path:
        """Outputs of steps, by run; read by later steps and by resumed runs."""
        return self.home / "outputs"

    @property
    def reports_dir(self) -> Path:
        """Where chains write reports unless told otherwise."""
        return self.home / "reports"

    @property
    def secrets_dir(self) -> Path:
        """One file per secret; the name of the file is the name of the secret."""
        return self.home / "secrets"

    @property
    def drafts_dir(self) -> Path:
        """Unfinished answers about new tools, one private file each."""
        return self.home / "drafts"

    @property
    def marts_path(self) -> Path:
        """The DuckDB file with one writer."""
        return self.home / "marts" / "marts.duckdb"

    @property
    def published_path(self) -> Path:
        """The DuckDB file that analysts open read-only; replaced atomically."""
        return self.home / "published" / "tool_catalog.duckdb"

    @property
    def chain_dirs(self) -> tuple[Path, ...]:
        """Folders that are searched for chains, the shipped ones first."""
        return (self.catalog_dir / "chains", self.home / "chains")


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from the environment, or from the mapping given."""
    env = os.environ if environ is None else environ
    analytics = env.get("TOOL_CATALOG_ANALYTICS_DIR") or CHECKOUT / "analytics"
    home = Path(env.get("TOOL_CATALOG_HOME") or CHECKOUT / "var").expanduser().absolute()
    return Settings(
        home=home,
        database_url=env.get("TOOL_CATALOG_DATABASE_URL") or None,
        catalog_dir=Path(env.get("TOOL_CATALOG_YAML_DIR") or CHECKOUT / "catalog_yaml").absolute(),
        analytics_dir=Path(analytics).absolute(),
        actor=_name(env, "TOOL_CATALOG_ACTOR") or _os_user(),
        tenant=_tenant(env.get("TOOL_CATALOG_TENANT") or "shared"),
        environment=_name(env, "TOOL_CATALOG_ENVIRONMENT") or "production",
        source=_source(env.get("TOOL_CATALOG_SOURCE") or "dual"),
        embedder=env.get("TOOL_CATALOG_EMBEDDER") or "concepts",
        tie_breaker=env.get("TOOL_CATALOG_TIE_BREAKER") or "",
        host=socket.gethostname(),
    )


def secret_variables(environ: Mapping[str, str] | None = None) -> Mapping[str, str]:
    """The variables that hold secrets, `TOOL_CATALOG_SECRET_...`; kept apart from the settings."""
    env = os.environ if environ is None else environ
    return {name: text for name, text in env.items() if name.startswith("TOOL_CATALOG_SECRET_")}


def child_environment(settings: Settings) -> dict[str, str]:
    """The environment of processes that we start: ours, with these settings spelled out."""
    spelled_out = {
        "TOOL_CATALOG_HOME": str(settings.home),
        "TOOL_CATALOG_YAML_DIR": str(settings.catalog_dir),
        "TOOL_CATALOG_ANALYTICS_DIR": str(settings.analytics_dir),
        "TOOL_CATALOG_ACTOR": settings.actor,
        "TOOL_CATALOG_TENANT": settings.tenant,
        "TOOL_CATALOG_ENVIRONMENT": settings.environment,
        "TOOL_CATALOG_SOURCE": settings.source,
        "TOOL_CATALOG_EMBEDDER": settings.embedder,
        "TOOL_CATALOG_TIE_BREAKER": settings.tie_breaker,
        "DAGSTER_HOME": str(settings.dagster_home),
    }
    if settings.database_url:
        spelled_out["TOOL_CATALOG_DATABASE_URL"] = settings.database_url
    return {**os.environ, **spelled_out}


def _name(env: Mapping[str, str], variable: str) -> str:
    """A name that is kept and printed; empty if it is not set."""
    text = env.get(variable, "")
    if len(text) <= _LONGEST_NAME and (text.isprintable() or not text):
        return text
    raise InvalidInputError.one(
        f"{variable} cannot be {text[:_LONGEST_NAME]!r}",
        f"use at most {_LONGEST_NAME} characters that can be printed, in UTF-8",
    )


def _tenant(text: str) -> str:
    if _TENANT.fullmatch(text):
        return text
    raise InvalidInputError.one(
        f"TOOL_CATALOG_TENANT cannot be {text!r}",
        "begin with a small letter; use small letters, digits, - and _, 63 at most",
    )


def _source(text: str) -> Source:
    if text in get_args(Source):
        return cast("Source", text)
    raise InvalidInputError.one(
        f"TOOL_CATALOG_SOURCE cannot be {text!r}", f"use one of {', '.join(get_args(Source))}"
    )


def _os_user() -> str:
    """The user of the operating system, or the name that marks a start from the UI."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "dagster-ui"
