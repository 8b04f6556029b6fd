"""Facts -> marts -> statistics -> catalogue: experiments, drift, recalibration.

The mathematics is in stats/; here it meets the tables. SQL for DuckDB is in analytics/.
"""
