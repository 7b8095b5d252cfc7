"""The connection to a model. Imported with the first question: the SDK takes half a second and 40 MB."""

from collections.abc import AsyncIterator

from httpx2 import AsyncByteStream, Response
from openai import AsyncOpenAI, DefaultAsyncHttpxClient

BODY_LIMIT = 1024 * 1024
"""Bytes. An answer has a few thousand."""


class TooMuch(Exception):
    """More than we are ready to read. No error of the transport's, lest the SDK ask for it again."""


def connect(*, api_key: str, base_url: str, timeout: float, max_retries: int) -> AsyncOpenAI:
    client = DefaultAsyncHttpxClient(follow_redirects=False, event_hooks={"response": [_cap]})
    return AsyncOpenAI(
        api_key=api_key,
        base_url=base_url,
        timeout=timeout,
        max_retries=max_retries,
        http_client=client,
        default_headers={"Accept-Encoding": "identity"},
    )


async def _cap(response: Response) -> None:
    """Called before the body is read."""
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise TooMuch("a compressed body, which was not asked for")
    if isinstance(response.stream, AsyncByteStream):
        response.stream = _CappedStream(response.stream)


class _CappedStream(AsyncByteStream):
    def __init__(self, stream: AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._stream:
            size += len(chunk)
            if size > BODY_LIMIT:
                raise TooMuch(f"a body of more than {BODY_LIMIT} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()
