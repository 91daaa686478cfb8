"""The question before something that cannot be undone: a page of its own, so that no script is needed."""

from typing import Any
from urllib.parse import urlsplit

from flask import render_template, request

from services.gateway.console import words
from services.gateway.console.parts.form import inside

_SURE = "sure"  # the field with which the question is answered


def unsure() -> bool:
    """Whether something was sent that nobody has been asked about."""
    return request.method == "POST" and _SURE not in request.form


def ask(title: Any) -> str:
    """What is about to be done, with what was typed; sent again as it came, under its command_id."""
    sent = [(name, value) for name, value in request.form.items(multi=True) if name != "csrf_token"]
    facts = [(words.field(name), words.given(name, value)) for name, value in sent if name in words.SURE]
    came_from = urlsplit(request.referrer or "")
    back = inside(f"{came_from.path}?{came_from.query}".rstrip("?"))
    return render_template("sure.html", title=title, sent=[*sent, (_SURE, "yes")], facts=facts, back=back)
