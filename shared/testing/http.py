"""A caller over HTTP: one connection, which is kept; every answer with its problem, if it is one."""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode, urlsplit


@dataclass(frozen=True)
class Said:
    """An answer."""

    status: int
    headers: Message
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """Of the problem, or nothing."""
        return str(self.json["code"]) if self.status >= 400 else ""


class Visitor:
    """`visitor.get("/api/v1/…", token, batch=…)`, `visitor.post("/api/v1/…", token, key, **fields)`."""

    def __init__(self, address: str) -> None:
        self._place = urlsplit(address)
        self._connection = self._connected()

    def get(self, path: str, token: str = "", headers: Mapping[str, str] | None = None, **asked: Any) -> Said:
        query = f"?{urlencode(asked, doseq=True)}" if asked else ""
        return self._ask("GET", path + query, None, {**_bearer(token), **(headers or {})})

    def post(self, path: str, token: str = "", key: str = "", **fields: Any) -> Said:
        headers = {**_bearer(token), "Content-Type": "application/json"}
        named = {"Idempotency-Key": key} if key else {}
        return self._ask("POST", path, json.dumps(fields).encode(), {**headers, **named})

    def stream(self, path: str, token: str, headers: Mapping[str, str] | None = None) -> Iterator[str]:
        """The lines of an answer that does not end, until nobody takes more; ValueError for a problem."""
        with closing(self._connected()) as connection:
            connection.request("GET", path, headers={**_bearer(token), **(headers or {})})
            answer = connection.getresponse()
            if answer.status != 200:
                raise ValueError(answer.read().decode())
            while line := answer.readline():
                yield line.decode().rstrip("\n")

    def close(self) -> None:
        self._connection.close()

    def _connected(self) -> HTTPConnection:
        assert self._place.hostname is not None
        return HTTPConnection(self._place.hostname, self._place.port, timeout=30)

    def _ask(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Said:
        self._connection.request(method, path, body, dict(headers))
        answer = self._connection.getresponse()
        return Said(answer.status, answer.headers, answer.read())


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}
