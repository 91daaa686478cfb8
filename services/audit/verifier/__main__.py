"""`python -m verifier`, for whoever carried the folder away."""

from .cli import app

app(prog_name="jianding-verify")
