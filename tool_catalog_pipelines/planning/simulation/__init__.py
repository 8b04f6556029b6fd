"""The future of a chain as intervals: its past executions, drawn again in the order of its graph.

Pure: what is read from PostgreSQL comes as a `ChainPast` (past.py). Does not belong here: single
figures from estimates alone (planning/forecast.py), whether forecasts come true (judgement/).
"""
