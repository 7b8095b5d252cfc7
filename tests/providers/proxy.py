"""A line between a client and its server that can be a bad one."""

import asyncio


class Proxy:
    """Stands between a bus and its Redis, and can be a bad line."""

    def __init__(self, port):
        self.target = port
        self.refused = 0
        self.is_cut = False
        self.lines = []

    def url(self, server):
        return server.url.replace(f":{server.port}/", f":{self.port}/")

    def cut(self):
        """End every connection, and each new one at once."""
        self.is_cut = True
        for line in self.lines:
            line.close()

    def mend(self):
        self.is_cut = False

    def mute(self, command):
        """Let nothing more through on the connections that have sent this command."""
        for line in self.lines:
            line.is_mute = command in line.sent

    async def __aenter__(self):
        self.server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self.cut()
        self.server.close()
        await asyncio.gather(*(line.ended.wait() for line in self.lines))

    async def _connected(self, reader, writer):
        if self.is_cut:
            self.refused += 1
            writer.close()
            return
        line = Line(writer)
        self.lines.append(line)
        await line.run(reader, *await asyncio.open_connection("127.0.0.1", self.target))


class Line:
    """One connection through the proxy."""

    def __init__(self, client):
        self.client = client
        self.server = None
        self.sent = b""
        self.is_mute = False
        self.ended = asyncio.Event()

    async def run(self, from_client, from_server, server):
        self.server = server
        await asyncio.gather(self._there(from_client), self._back(from_server))
        self.ended.set()

    def close(self):
        for writer in (self.client, self.server):
            if writer:
                writer.close()

    async def _there(self, reader):
        while data := await read(reader):
            self.sent += data
            if not self.is_mute:
                self.server.write(data)
        self.close()

    async def _back(self, reader):
        while data := await read(reader):
            if not self.is_mute:
                self.client.write(data)
        self.close()


async def read(reader):
    try:
        return await reader.read(65_536)
    except OSError:
        return b""
