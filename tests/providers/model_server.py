"""A server for chat completions that takes exactly right requests only, and answers as it was told."""

import asyncio
import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import msgspec

KEY = "sk-test-bd1f0c6a"
MODEL = "a-model"


class CalledFunction(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    arguments: str


class Call(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    type: Literal["function"]
    function: CalledFunction


class Said(msgspec.Struct, forbid_unknown_fields=True):
    role: Literal["system", "user", "assistant", "tool"]
    content: Annotated[str, msgspec.Meta(min_length=1)] | None
    tool_calls: Annotated[list[Call], msgspec.Meta(min_length=1)] | msgspec.UnsetType = msgspec.UNSET
    tool_call_id: str | msgspec.UnsetType = msgspec.UNSET


class Schema(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """A JSON schema, of what the strict form allows."""

    type: Literal["object", "string", "integer", "array"] | list[Literal["string", "null"]]
    description: str = ""
    properties: "dict[str, Schema] | msgspec.UnsetType" = msgspec.UNSET
    required: list[str] | msgspec.UnsetType = msgspec.UNSET
    additional_properties: bool | msgspec.UnsetType = msgspec.UNSET
    items: "Schema | msgspec.UnsetType" = msgspec.UNSET
    enum: Annotated[list[str], msgspec.Meta(min_length=1)] | msgspec.UnsetType = msgspec.UNSET

    def complaints(self) -> list[str]:
        """What the strict form asks of every object: all properties required, and no others."""
        inner = [*(self.properties or {}).values(), *([self.items] if self.items else [])]
        found = [complaint for schema in inner for complaint in schema.complaints()]
        is_strict = self.additional_properties is False and self.required == [*(self.properties or {})]
        return found if self.type != "object" or is_strict else [*found, "an object that is not strict"]


class Function(msgspec.Struct, forbid_unknown_fields=True):
    name: Annotated[str, msgspec.Meta(pattern="^[a-z_]{1,64}$")]
    description: str
    strict: Literal[True]
    parameters: Schema


class Tool(msgspec.Struct, forbid_unknown_fields=True):
    type: Literal["function"]
    function: Function


class Asked(msgspec.Struct, forbid_unknown_fields=True):
    """What OpenAI documents for `POST /chat/completions`, as far as we use it."""

    model: Literal["a-model"]
    messages: Annotated[list[Said], msgspec.Meta(min_length=2)]
    tools: Annotated[list[Tool], msgspec.Meta(min_length=1, max_length=3)]
    max_completion_tokens: Annotated[int, msgspec.Meta(gt=0)]

    def complaints(self) -> list[str]:
        """Every call has to be answered, right after it, and nothing else may be."""
        found = [complaint for tool in self.tools for complaint in tool.function.parameters.complaints()]
        awaited: list[str] = []
        for message in self.messages:
            if message.role == "tool":
                known = message.tool_call_id in awaited
                found += [] if known else ["an answer to no call"]
                awaited = [id for id in awaited if id != message.tool_call_id]
                continue
            found += ["a call without an answer"] if awaited else []
            awaited = [call.id for call in message.tool_calls or []]
            if message.content is None and not awaited:
                found.append("a message that says nothing")
        return found + (["a call without an answer"] if awaited else [])


@dataclass(frozen=True)
class Reply:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    pieces: Iterable[bytes] = ()
    """Sent after the head instead of `body`, until the client hangs up."""


SILENCE = Reply()
"""Takes the request and says nothing."""

DRIPS = Reply(headers={"Content-Type": "application/json", "Content-Length": "9999"})
"""A byte now and then, for ever."""


def completion(content: str | None = None, **choice: Any) -> Reply:
    """A right answer; `choice` changes parts of the message and of how it ended."""
    finish_reason = choice.pop("finish_reason", "stop")
    message = {"role": "assistant", "content": content, "refusal": None, **choice}
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": MODEL,
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason, "logprobs": None}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }
    return as_json(body)


def tool_call(
    name: str = "hand_over_to_person", arguments: str = '{"reason": "asked"}', id: str = "call_1"
) -> dict[str, Any]:
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


def as_json(body: object, status: int = 200, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, json.dumps(body).encode(), {"Content-Type": "application/json", **named})


def error(status: int, **headers: str) -> Reply:
    return as_json({"error": {"message": "no", "type": "test", "code": None}}, status, **headers)


class ModelServer:
    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.times: list[float] = []
        self.complaints: list[str] = []
        self.sent = 0
        self.hung_up = asyncio.Event()
        self._script: list[Reply] = []
        self._connections: set[asyncio.Task[None]] = set()

    def will(self, *replies: Reply) -> None:
        """Answer in this order; the last one again and again."""
        self._script = list(replies)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"

    async def __aenter__(self) -> "ModelServer":
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(asyncio.create_task(self._serve(reader, writer)))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while request := await self._read(reader):
                await self._answer(request, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.hung_up.set()
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _read(self, reader: asyncio.StreamReader) -> bytes | None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return None
        request_line, *lines = head.decode().strip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        self._check(request_line == "POST /v1/chat/completions HTTP/1.1", request_line)
        self._check(headers.get("authorization") == f"Bearer {KEY}", "authorization")
        self._check(headers.get("content-type") == "application/json", "content-type")
        self._check(headers.get("accept-encoding") == "identity", "accept-encoding")
        return await reader.readexactly(int(headers["content-length"]))

    async def _answer(
        self, request: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.times.append(asyncio.get_running_loop().time())
        try:
            self.asked.append(asked := msgspec.json.decode(request, type=Asked))
            self.complaints += asked.complaints()
        except msgspec.ValidationError as problem:
            self.complaints.append(str(problem))
        reply = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        if reply is SILENCE:
            await reader.read()
        elif reply is DRIPS:
            await self._drip(reader, writer)
        else:
            await self._send(reply, writer)

    async def _drip(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._send(DRIPS, writer)
        gone = asyncio.create_task(reader.read())
        while not gone.done():
            writer.write(b" ")
            await asyncio.wait({gone}, timeout=0.05)

    async def _send(self, reply: Reply, writer: asyncio.StreamWriter) -> None:
        headers = {"Content-Length": str(len(reply.body)), **reply.headers}
        if reply.pieces:
            headers = {**reply.headers, "Connection": "close"}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"HTTP/1.1 {reply.status} Whatever\r\n{head}\r\n".encode() + reply.body)
        for piece in reply.pieces:
            writer.write(piece)
            await writer.drain()
            self.sent += len(piece)
        if reply.pieces:
            writer.write_eof()

    def _check(self, is_right: bool, what: str) -> None:
        if not is_right:
            self.complaints.append(what)
