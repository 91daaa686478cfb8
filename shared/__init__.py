"""Mechanism and the published language; decisions live in `services`."""
