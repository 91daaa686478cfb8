"""The web console: pages for people, made of the same calls as the API."""

from flask import Flask

from services.gateway.backend import Backend


def register(app: Flask, backend: Backend) -> None:
    """Hangs the pages into the application."""
    del app, backend  # there is no page yet
