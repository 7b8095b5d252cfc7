"""This machine's way to look up names."""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor

AT_ONCE = 8


class SystemResolver:
    """Satisfies ports.resolver.Resolver. Literal addresses are their own answer."""

    def __init__(self) -> None:
        # Threads of its own: a name server that never answers must not hold up anybody else's threads.
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="names")

    async def addresses(self, host: str, port: int) -> list[str]:
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, _look_up, host, port)
        return list(dict.fromkeys(found))


def _look_up(host: str, port: int) -> list[str]:
    entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return [str(entry[4][0]) for entry in entries]
