"""Scheduling (考务) decides when, where and with what.

A station applies for a batch, the centre's notice lets it go ahead, seals its papers and sends its examiners;
seats and papers fall by a chance that anybody can recompute; on the day the door opens for the right person.
"""
