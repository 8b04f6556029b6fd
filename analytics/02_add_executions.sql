-- Adds the rows that loading put into incoming_executions. The watermark brings each row once; the
-- natural key makes sure of it. Only runs as old as the incoming ones are compared.
INSERT INTO executions BY NAME
SELECT * FROM incoming_executions AS incoming
WHERE NOT EXISTS (
    SELECT 1 FROM executions AS present
    WHERE present.run_started_at >= (SELECT min(run_started_at) FROM incoming_executions)
        AND present.tenant = incoming.tenant
        AND present.run_started_at = incoming.run_started_at
        AND present.run_id = incoming.run_id
        AND present.step = incoming.step
        AND present.item = incoming.item
        AND present.attempt = incoming.attempt
);
