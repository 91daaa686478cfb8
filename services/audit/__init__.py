"""Audit (审计) answers whether it was honest.

It decides nothing: it subscribes to everything, appends each sealed event to a tamper-evident log, verifies
that log against its own tree and against every source's signed head, and answers trails.
"""
