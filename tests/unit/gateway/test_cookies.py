"""What a browser keeps of its session: something that only the door can read, and that nobody can alter."""

import base64
import zlib
from contextlib import suppress

from flask.testing import FlaskClient

TOKENS = {"access": "clerk", "refresh": "to be kept from everybody"}


def _kept(client: FlaskClient) -> str:
    with client.session_transaction() as session:
        session["tokens"] = TOKENS
    cookie = client.get_cookie("jianding")
    assert cookie is not None
    return cookie.value


def test_a_cookie_tells_nobody_the_tokens_that_are_in_it(client: FlaskClient) -> None:
    for part in _kept(client).split("."):
        plain = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
        with suppress(zlib.error):
            plain += zlib.decompress(plain)
        assert b"refresh" not in plain
        assert b"everybody" not in plain
    with client.session_transaction() as session:
        assert session["tokens"] == TOKENS


def test_an_altered_cookie_is_no_session(client: FlaskClient) -> None:
    kept = _kept(client)
    middle = len(kept) // 2
    other = "A" if kept[middle] != "A" else "B"
    client.set_cookie("jianding", kept[:middle] + other + kept[middle + 1 :])
    with client.session_transaction() as session:
        assert "tokens" not in session


def test_no_two_cookies_of_one_session_are_alike(client: FlaskClient) -> None:
    assert _kept(client) != _kept(client)
