"""Pure mathematics on arrays and sufficient statistics: experiments, drift, recalibration.

No I/O, no clock, no global random state. Bad data gives a result with a reason, never an
exception and never a guess.
"""
