"""Numbers with their units, as people read them."""

from __future__ import annotations


def duration_text(ms: float) -> str:
    """Milliseconds in the unit that reads best: `12 ms`, `1.5 s`, `3.3 min`, `2.1 h`."""
    if ms < 999.5:
        return f"{ms:.3g} ms"
    seconds = ms / 1000
    if seconds < 119.5:
        return f"{seconds:.3g} s"
    minutes = seconds / 60
    return f"{minutes:.3g} min" if minutes < 119.5 else f"{minutes / 60:.3g} h"


def cost_text(units: float) -> str:
    """Cost in its abstract units."""
    return f"{units:.4g} {'unit' if units == 1 else 'units'}"
