"""RabbitMQ's management interface over HTTP: virtual hosts and connections."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

# A proxy of the environment has no business between us and our own machine.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Management:
    """The interface at `address` (http://host:port), asked as `user`."""

    address: str
    user: str
    password: str

    def request(self, method: str, *path: str, body: object = None) -> Any:
        """The decoded answer to `method` on /api/`path`, whose parts are quoted here.

        Raises urllib.error.URLError, whose subclass HTTPError tells what was refused.
        """
        url = "/".join([self.address, "api", *(quote(part, safe="") for part in path)])
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, self._headers(), method=method)  # noqa: S310
        try:
            with _direct.open(request, timeout=10) as answer:
                content = answer.read()
        except urllib.error.HTTPError as refusal:
            refusal.close()
            raise
        return json.loads(content) if content else None

    def _headers(self) -> dict[str, str]:
        credentials = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        return {"Authorization": f"Basic {credentials}", "Content-Type": "application/json"}

    def confirms(self, port: int) -> bool:
        """Whether the broker says that it takes connections at `port`.

        Trying the port itself could reach somebody else.
        """
        try:
            self.request("GET", "health", "checks", "port-listener", str(port))
        except OSError:
            return False
        return True

    def create(self, virtual_host: str) -> None:
        """Make `virtual_host`, open to our user; one that exists stays as it is."""
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        self.request("PUT", "vhosts", virtual_host, body={})
        self.request("PUT", "permissions", virtual_host, self.user, body=everything)

    def drop(self, virtual_host: str) -> None:
        """Remove `virtual_host` with all it holds; one that is gone already is no error."""
        self._delete("vhosts", virtual_host)

    def close_connections(self, virtual_host: str | None) -> int:
        """Close the connections the interface knows of; it learns of them some seconds late."""
        scope = () if virtual_host is None else ("vhosts", virtual_host)
        known = self.request("GET", *scope, "connections")
        return sum(self._delete("connections", each["name"]) for each in known)

    def queues(self, virtual_host: str) -> dict[str, int]:
        """How many messages each queue held when it last reported."""
        known = self.request("GET", "queues", virtual_host)
        return {each["name"]: each.get("messages", 0) for each in known}

    def _delete(self, *path: str) -> bool:
        try:
            self.request("DELETE", *path)
        except urllib.error.HTTPError as refusal:
            if refusal.code != 404:
                raise
            return False
        return True
