"""The command line: typer commands that call the same functions as Dagster calls.

The only place that prints. Exit codes: 0 done, 1 it failed, 2 bad input or an unfit machine.
"""
