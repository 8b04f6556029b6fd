"""Running a tool's own examples and test cases: in a scratch folder, bounded, nothing left behind.

No isolation is claimed: a trial runs with the rights of whoever starts it. What is bounded is
time, memory, number of processes and disk space. Telemetry facts are not written.
"""
