"""A subscriber over HTTP that misses no event of any service, needs no library, and goes on where it was.

    JIANDING_PASSWORD=… python examples/subscriber_http.py http://127.0.0.1:8480 NAME position.txt [TYPE ...]

NAME is an account that may read the whole log, opened for this program alone by an administrator:

    jianding account open NAME --appointment supervisor@centre

The stream is Server-Sent Events: the `id` of each is its position in the audit log, and `Last-Event-ID` tells
where to go on. The position is written down after the event was dealt with; so whoever is killed in between
sees that event a second time, and never misses one. A stream ends with its token (10 minutes): then the
session is refreshed and the log followed from the same position. `GET /api/v1/events?after=` has the same in
pages, for whoever would rather ask now and then.
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

PAUSE = 2.0  # seconds before it tries again


def opened(address, headers, message=None):
    """The answer of the door; a stream says nothing for 15 seconds at most."""
    request = urllib.request.Request(address, message, headers)  # noqa: S310  the caller's own door
    return urllib.request.urlopen(request, timeout=60)  # noqa: S310


class Session:
    """Logged in at the door; each refresh token is good for once."""

    def __init__(self, door, name, password):
        self.door, self.name, self.password = door, name, password
        self.refresh = self.access = ""

    def renew(self):
        """With the refresh token; with name and password at first, and once the session is over."""
        try:
            found = self._ask("refresh", {"refresh": self.refresh}) if self.refresh else self._login()
        except urllib.error.HTTPError:
            found = self._login()
        self.access, self.refresh = found["access"], found["refresh"]

    def _login(self):
        return self._ask("login", {"name": self.name, "password": self.password})

    def _ask(self, what, message):
        address = f"{self.door}/api/v1/registration/{what}"
        with opened(address, {"Content-Type": "application/json"}, json.dumps(message).encode()) as answer:
            return json.load(answer)


def events(session, after):
    """(position, event) of everything behind a position, until the stream ends."""
    headers = {"Authorization": f"Bearer {session.access}", "Last-Event-ID": str(after)}
    if after < 0:  # from the beginning of the log
        del headers["Last-Event-ID"]
    with opened(f"{session.door}/api/v1/events/stream", headers) as stream:
        position = after
        for line in stream:
            field, _, value = line.decode().rstrip("\n").partition(": ")
            if field == "id":
                position = int(value)
            elif field == "data":
                yield position, json.loads(value)


def main():
    door, name, kept, *types = sys.argv[1:]
    session, kept = Session(door.rstrip("/"), name, os.environ["JIANDING_PASSWORD"]), Path(kept)
    while True:
        after = int(kept.read_text()) if kept.exists() else -1
        try:
            session.renew()
            for position, event in events(session, after):
                if not types or event["type"] in types:
                    print(f"{position} {event['type']} {event['subject']}", flush=True)
                written = kept.with_suffix(".new")
                written.write_text(str(position))
                written.replace(kept)
        except OSError as error:  # the line, the door, or who we say that we are
            print(f"{type(error).__name__}: trying again", file=sys.stderr, flush=True)
            time.sleep(PAUSE)


if __name__ == "__main__":
    main()
