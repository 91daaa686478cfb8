"""A TCP link that can be made slow, silent and broken."""

import asyncio
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread

_AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends RST and forgets what is on its way


class Proxy:
    """Carries connections from `port` of 127.0.0.1 to `target` of 127.0.0.1."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._delay = 0.0
        self._writers: set[asyncio.StreamWriter] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._ready = Event()
        self._thread = Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._thread.start()
        self._ready.wait()

    @contextmanager
    def slow(self, seconds: float) -> Iterator[None]:
        """Everything takes so much longer, in each direction."""
        self._delay = seconds
        try:
            yield
        finally:
            self._delay = 0.0

    @contextmanager
    def cut(self) -> Iterator[None]:
        """Nothing passes and nobody is told; what was sent meanwhile arrives afterwards."""
        self._loop.call_soon_threadsafe(self._passing.clear)
        try:
            yield
        finally:
            self._loop.call_soon_threadsafe(self._passing.set)

    def reset(self) -> int:
        """Breaks every connection on both sides (RST); how many."""
        return asyncio.run_coroutine_threadsafe(self._reset(), self._loop).result() // 2

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._passing, self._over = asyncio.Event(), asyncio.Event()
        self._passing.set()
        server = await asyncio.start_server(self._carry, sock=self._listener)
        self._ready.set()
        await self._over.wait()
        server.close()
        await self._reset()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ours = {writer}
        self._writers.add(writer)
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
            ours.add(far_writer)
            self._writers.add(far_writer)
            ways = [
                asyncio.ensure_future(self._pump(reader, far_writer)),
                asyncio.ensure_future(self._pump(far_reader, writer)),
            ]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
        except OSError:
            _break(writer)
        finally:
            self._writers -= ours
            for each in ours:
                each.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                await self._passing.wait()
                if self._delay:
                    await asyncio.sleep(self._delay)
                writer.write(data)
                await writer.drain()

    async def _reset(self) -> int:
        broken = list(self._writers)
        for writer in broken:
            _break(writer)
        return len(broken)


def _break(writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    writer.transport.abort()
