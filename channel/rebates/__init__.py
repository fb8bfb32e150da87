"""Rebates: what a dealer earns by a written programme, shown line by line, and what of it is still to be paid.

The rule modules are pure: programmes, facts, baseline and the two cut-offs come in as arguments; there is no clock, database or float.
"""
