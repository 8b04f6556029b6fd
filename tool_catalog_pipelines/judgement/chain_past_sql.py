"""Statements that read the past of chains from the facts. Only SQL; chain_past.py runs them."""

from __future__ import annotations

from sqlalchemy import text

RUNS_OF_CHAIN = text("""
    SELECT l.run_id, l.run_started_at
    FROM tool_catalog.run_locks AS l
    LEFT JOIN tool_catalog.chain_forecasts AS f ON f.tenant = l.tenant AND f.run_id = l.run_id
    WHERE l.tenant = :tenant AND l.chain = :chain AND l.run_id <> :run_id
        AND l.document -> 'identity' ->> 'environment' = :environment
        AND (CAST(:fingerprint AS text) IS NULL OR l.fingerprint = :fingerprint)
        AND (f.run_id IS NULL OR f.outcome = 'succeeded')
    ORDER BY l.run_started_at DESC LIMIT :most
""")
"""Runs that failed, or that nobody knows to have ended, say nothing of a run that succeeds.

One without a forecast continued another, or is older than forecasts.
"""

OUTCOMES = text("""
    SELECT count(*) AS ended, count(*) FILTER (WHERE outcome = 'succeeded') AS succeeded
    FROM (
        SELECT outcome FROM tool_catalog.chain_forecasts
        WHERE tenant = :tenant AND environment = :environment AND chain = :chain
            AND outcome IS NOT NULL
        ORDER BY run_started_at DESC LIMIT :most
    ) AS newest
""")

RUNS_OF_OTHERS = text("""
    SELECT run_id, run_started_at FROM tool_catalog.run_locks
    WHERE tenant = :tenant AND chain <> :chain
        AND document -> 'identity' ->> 'environment' = :environment
    ORDER BY run_started_at DESC LIMIT :most
""")

FACTS_OF_RUNS = text("""
    SELECT run_id, count(*) AS facts FROM tool_catalog.tool_telemetry
    WHERE tenant = :tenant AND run_id = ANY(:run_ids)
        AND run_started_at BETWEEN :oldest AND :newest
    GROUP BY run_id
""")

STEPS_OF_RUNS = text("""
    SELECT
        run_id, step, count(*) FILTER (WHERE status <> 'skipped') AS items,
        extract(epoch FROM min(started_at) - min(run_started_at)) * 1000.0 AS started_ms,
        extract(epoch FROM max(finished_at) - min(run_started_at)) * 1000.0 AS finished_ms,
        coalesce(sum(extract(epoch FROM finished_at - started_at))
            FILTER (WHERE status <> 'skipped'), 0) * 1000.0 AS work_ms
    FROM (
        SELECT
            run_id, step, item, max(status) AS status, min(run_started_at) AS run_started_at,
            min(started_at) AS started_at, max(finished_at) AS finished_at,
            bool_or(status = 'cancelled') AS was_cancelled
        FROM tool_catalog.tool_telemetry
        WHERE tenant = :tenant AND run_id = ANY(:run_ids)
            AND run_started_at BETWEEN :oldest AND :newest
        GROUP BY run_id, step, item
    ) AS items
    GROUP BY run_id, step
    HAVING NOT bool_or(was_cancelled)
""")
"""What is skipped has one fact and no other status, so that any one of them tells it.

A step that was cancelled is left out: nobody knows how many items it would have had.
"""

EXECUTIONS_OF_RUNS = text("""
    WITH facts AS NOT MATERIALIZED (
        SELECT * FROM tool_catalog.tool_telemetry
        WHERE tenant = :tenant AND run_id = ANY(:run_ids)
            AND run_started_at BETWEEN :oldest AND :newest AND status <> 'skipped'
    ), chosen AS (
        SELECT DISTINCT run_id, step, item FROM (
            SELECT run_id, step, item, dense_rank() OVER (
                PARTITION BY run_id, step, tool_version
                ORDER BY hashtext(run_id || item), item
            ) AS place
            FROM facts
        ) AS placed
        WHERE place <= :most
    ), items AS (
        SELECT
            run_id, chain, step, item, platform, tool_name, tool_version, capability, pattern,
            min(started_at) AS started_at, max(finished_at) AS finished_at,
            (array_agg(status ORDER BY attempt DESC))[1] AS status,
            CASE WHEN count(*) = count(cost_units) THEN sum(cost_units) END AS cost_units,
            max(estimate_ms) AS estimate_ms, max(estimate_revision) AS estimate_revision,
            (array_agg(variables_before ORDER BY attempt DESC))[1] AS variables_before,
            (array_agg(variables_measured ORDER BY attempt DESC))[1] AS variables_measured
        FROM facts JOIN chosen USING (run_id, step, item)
        GROUP BY run_id, chain, step, item, platform, tool_name, tool_version, capability, pattern
    )
    SELECT * FROM items WHERE status <> 'cancelled' ORDER BY started_at DESC
""")
"""One row is one step or item of one run with all its attempts; of long lists a part by chance."""

RUNS_OF_TOOL = text("""
    SELECT run_id, max(run_started_at) AS run_started_at FROM (
        SELECT run_id, run_started_at FROM tool_catalog.tool_telemetry
        WHERE tool_id = :tool_id AND capability = :capability AND pattern = :pattern
            AND tenant = :tenant AND environment = :environment
            AND status IN ('success', 'no_result')
        ORDER BY started_at DESC LIMIT :rows
    ) AS newest
    GROUP BY run_id
    ORDER BY run_started_at DESC LIMIT :most
""")
