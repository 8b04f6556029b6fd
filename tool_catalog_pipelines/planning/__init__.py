"""Chain spec -> Plan: resolved, ordered, immutable, printable. Pure: no I/O, no estimates inside.

`explain` walks the same Plan that orchestration/ compiles.
"""
