"""Performance: how a dealer does, by agreed figures; score, rank in a peer group, risk and growth tags, and the stock it holds.

The rule modules are pure: facts, scorecard, last period's snapshot and the cut-off come in as arguments; no clock, database or float.
"""
