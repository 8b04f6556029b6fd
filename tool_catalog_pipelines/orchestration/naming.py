"""Names that Dagster sees: jobs, ops, tags and metadata keys. Nothing else makes such a name."""

from __future__ import annotations

PREFIX = "tool_catalog"

TAG_CHAIN = f"{PREFIX}/chain"
TAG_CHAIN_VERSION = f"{PREFIX}/chain_version"
TAG_FINGERPRINT = f"{PREFIX}/fingerprint"
TAG_USER = f"{PREFIX}/user"
TAG_HOST = f"{PREFIX}/host"
TAG_PROCESS = f"{PREFIX}/process"

OWN_JOBS = frozenset(
    {
        "analytics",
        "catalog_import",
        "import_catalogue",
        "export_catalogue",
        "enable_tool",
        "disable_tool",
        "promote_tool",
        "roll_back_tool",
    }
)
"""Jobs that are no chains; two jobs of one name would take the whole code location down."""

RESULT = "result"
"""Name of the one output of every op."""

CHAIN_RUN = "chain_run"
"""Resource key of the run's lock, recorder and catalogue."""


def job_name(chain: str) -> str:
    """A chain's job carries the chain's own name, which is what operators look for."""
    return chain


def op_name(chain: str, step: str) -> str:
    """Op definition names are unique in a repository, so they carry the chain (DESIGN 15)."""
    return f"{chain}__{step}"


def order_input(step: str) -> str:
    """Name of the op input that only orders (`needs`), so it never meets a data input's name."""
    return f"after__{step}"


def metadata_key(key: str) -> str:
    """A metadata or tag key in our namespace."""
    return f"{PREFIX}/{key}"
