"""The Dagster adapter: Plan -> job, op body, executor, instance storage, resources.

The only place, besides defs/ and definitions.py, that imports dagster. No rule about tools or
statistics lives here: ops call execution/, assets call judgement/.
"""
