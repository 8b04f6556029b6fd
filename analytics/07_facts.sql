-- Executions with their variables as numbers: measured ones, and where one was not measured the
-- value known beforehand. A variable that is no number is left out.
CREATE OR REPLACE VIEW facts AS
SELECT
    * EXCLUDE (variables_before, variables_measured),
    variables_before,
    variables_measured,
    map_from_entries(list_filter(
        map_entries(map_concat(
            coalesce(try_cast(try_cast(variables_before AS JSON) AS MAP(VARCHAR, DOUBLE)), MAP {}),
            map_from_entries(list_filter(
                map_entries(coalesce(
                    try_cast(try_cast(variables_measured AS JSON) AS MAP(VARCHAR, DOUBLE)), MAP {}
                )),
                lambda entry: entry.value IS NOT NULL
            ))
        )),
        lambda entry: entry.value IS NOT NULL
    )) AS variables,
    CASE WHEN status = 'success' AND estimate_ms > 0 AND duration_ms > 0
        THEN ln(duration_ms / estimate_ms)
    END AS ln_ratio
FROM executions;
COMMENT ON VIEW facts IS 'The columns of `executions`, and two more.';
COMMENT ON COLUMN facts.variables IS 'Variables of the estimate as numbers, measured where possible.';
COMMENT ON COLUMN facts.ln_ratio IS 'ln(duration by estimate) of a success; 0 is as expected.';
