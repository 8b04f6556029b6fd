"""Dagster leaves by domain: thin assets, checks, schedules and sensors. Imported by nobody.

An asset here makes one call into judgement/ or catalog/ and returns one MaterializeResult.
"""
