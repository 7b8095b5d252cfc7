"""A bucket that takes exactly right requests only: address, headers, digests and signature (SigV4).

Speaks as much of S3 as a client for whole objects needs: put, get with ranges, head, delete, delete of
several, and uploads in parts. What it refuses it refuses with codes of S3, and remembers in `refused`.
"""

import asyncio
import base64
import hashlib
import hmac
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, quote, unquote
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from hypercorn.asyncio import serve
from hypercorn.config import Config

KEY_ID, SECRET, REGION, BUCKET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG", "eu-test-1", "parley-files"
PART_MINIMUM = 5 * 1024 * 1024
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/s3/aws4_request, ?"
    r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})"
)
_NO_BODY = hashlib.sha256(b"").hexdigest()


class Refused(Exception):
    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code


@dataclass
class Asked:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    raw_query: str

    @property
    def key(self) -> str:
        """The object's. Raises Refused for another bucket."""
        bucket, _, key = unquote(self.path).removeprefix("/").partition("/")
        if bucket != BUCKET:
            raise Refused(404, "NoSuchBucket")
        return key


@dataclass
class Bucket:
    url: str = ""
    objects: dict[str, bytes] = field(default_factory=dict)
    uploads: dict[str, dict[int, bytes]] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    is_down: bool = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        status, headers, answer = self._answer(_asked(scope, bytes(body)))
        if scope["method"] == "HEAD":
            answer = b""
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": answer})

    def _answer(self, asked: Asked) -> tuple[int, dict[str, str], bytes]:
        self.asked.append(
            f"{asked.method} {asked.key}{'?' * bool(asked.query)}{'&'.join(sorted(asked.query))}"
        )
        if self.is_down:
            return 503, {}, _error("SlowDown")
        try:
            check_signature(asked)
            return self._handlers()[_action(asked)](asked)
        except Refused as refused:
            if refused.status != 404:
                self.refused.append(refused.code)
            return refused.status, {"content-type": "application/xml"}, _error(refused.code)

    def _handlers(self) -> dict[str, Callable[[Asked], tuple[int, dict[str, str], bytes]]]:
        return {
            "PUT": self._put,
            "GET": self._get,
            "HEAD": self._get,
            "DELETE": self._delete,
            "POST delete": self._delete_several,
            "POST uploads": self._begin,
            "PUT partNumber,uploadId": self._part,
            "POST uploadId": self._finish,
            "DELETE uploadId": self._abort,
        }

    def _put(self, asked: Asked) -> tuple[int, dict[str, str], bytes]:
        self.objects[asked.key] = asked.body
        return 200, {"etag": _etag(asked.body)}, b""

    def _get(self, asked: Asked) -> tuple[int, dict[str, str], bytes]:
        stored = self.objects.get(asked.key)
        if stored is None:
            raise Refused(404, "NoSuchKey")
        headers = {
            "etag": _etag(stored),
            "last-modified": "Fri, 20 Nov 2026 12:00:00 GMT",
            "content-type": "application/octet-stream",
        }
        if (wanted := asked.headers.get("range")) is None:
            return 200, headers | {"content-length": str(len(stored))}, stored
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", wanted)
        if match is None or int(match[1]) >= len(stored):
            raise Refused(416, "InvalidRange")
        first, last = int(match[1]), min(int(match[2] or len(stored)), len(stored) - 1)
        part = stored[first : last + 1]
        headers["content-range"] = f"bytes {first}-{last}/{len(stored)}"
        return 206, headers | {"content-length": str(len(part))}, part

    def _delete(self, asked: Asked) -> tuple[int, dict[str, str], bytes]:
        self.objects.pop(asked.key, None)
        return 204, {}, b""

    def _delete_several(self, asked: Asked) -> tuple[int, dict[str, str], bytes]:
        sent = asked.headers.get("content-md5")
        if sent and base64.b64decode(sent) != hashlib.md5(asked.body).digest():
            raise Refused(400, "BadDigest")
        keys = [
            node.text or "" for node in ElementTree.fromstring(asked.body).iter() if node.tag.endswith("Key")
        ]
        for key in keys:
            self.objects.pop(key, None)
        told = "".join(f"<Deleted><Key>{escape(key)}</Key></Deleted>" for key in keys)
        return 200, {}, f"<DeleteResult>{told}</DeleteResult>".encode()

    def _begin(self, asked: Asked) -> tuple[int, dict[str, str], bytes]:
        upload = f"upload-{len(self.uploads) + 1}"
        self.uploads[upload] = {}
        result = f"<Bucket>{BUCKET}</Bucket><Key>{escape(asked.key)}</Key><UploadId>{upload}</UploadId>"
        told = f"<InitiateMultipartUploadResult>{result}</InitiateMultipartUploadResult>"
        return 200, {"content-type": "application/xml"}, told.encode()

    def _part(self, asked: Asked) -> tuple[int, dict[str, str], bytes]:
        self._upload(asked)[int(asked.query["partNumber"])] = asked.body
        return 200, {"etag": _etag(asked.body)}, b""

    def _finish(self, asked: Asked) -> tuple[int, dict[str, str], bytes]:
        parts = self._upload(asked)
        named = [node for node in ElementTree.fromstring(asked.body) if node.tag.endswith("Part")]
        told = [{child.tag.rpartition("}")[2]: child.text for child in node} for node in named]
        numbers = [int(part["PartNumber"] or 0) for part in told]
        if numbers != sorted(parts) or not numbers:
            raise Refused(400, "InvalidPart")
        if any(
            (part["ETag"] or "").strip('"') != _etag(parts[n]).strip('"')
            for n, part in zip(numbers, told, strict=True)
        ):
            raise Refused(400, "InvalidPart")
        if any(len(parts[number]) < PART_MINIMUM for number in numbers[:-1]):
            raise Refused(400, "EntityTooSmall")
        self.objects[asked.key] = b"".join(parts[number] for number in numbers)
        del self.uploads[asked.query["uploadId"]]
        result = f"<Bucket>{BUCKET}</Bucket><Key>{escape(asked.key)}</Key><ETag>{_etag(b'')}</ETag>"
        return 200, {}, f"<CompleteMultipartUploadResult>{result}</CompleteMultipartUploadResult>".encode()

    def _abort(self, asked: Asked) -> tuple[int, dict[str, str], bytes]:
        self._upload(asked)
        del self.uploads[asked.query["uploadId"]]
        return 204, {}, b""

    def _upload(self, asked: Asked) -> dict[int, bytes]:
        upload = self.uploads.get(asked.query["uploadId"])
        if upload is None:
            raise Refused(404, "NoSuchUpload")
        return upload


def check_signature(asked: Asked) -> None:
    """As AWS documents it: nothing may be missing, old, or changed on the way. Raises Refused."""
    match = _AUTHORIZATION.fullmatch(asked.headers.get("authorization", ""))
    if match is None:
        raise Refused(403, "AccessDenied")
    key_id, day, region, signed, signature = match.groups()
    names, stamp = signed.split(";"), asked.headers.get("x-amz-date", "")
    if (key_id, region) != (KEY_ID, REGION):
        raise Refused(403, "InvalidAccessKeyId")
    must = {"host", *(name for name in asked.headers if name.startswith("x-amz-"))}
    if names != sorted(names) or not must <= set(names):
        raise Refused(403, "AccessDenied")
    _check_time(day, stamp)
    digest = asked.headers.get("x-amz-content-sha256", "")
    if digest not in {"UNSIGNED-PAYLOAD", hashlib.sha256(asked.body).hexdigest()}:
        raise Refused(400, "XAmzContentSHA256Mismatch")
    headers = "".join(f"{name}:{' '.join(asked.headers[name].split())}\n" for name in names)
    canonical = "\n".join((asked.method, asked.path, _canonical_query(asked), headers, signed, digest))
    scope = f"{day}/{REGION}/s3/aws4_request"
    text = "\n".join(("AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()))
    key = f"AWS4{SECRET}".encode()
    for part in (day, REGION, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    if not hmac.compare_digest(hmac.new(key, text.encode(), "sha256").hexdigest(), signature):
        raise Refused(403, "SignatureDoesNotMatch")


def _check_time(day: str, stamp: str) -> None:
    try:
        when = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise Refused(403, "AccessDenied") from None
    if not stamp.startswith(day) or abs(datetime.now(UTC) - when) > timedelta(minutes=15):
        raise Refused(403, "RequestTimeTooSkewed")


def _canonical_query(asked: Asked) -> str:
    pairs = sorted((quote(n, safe="-_.~"), quote(v, safe="-_.~")) for n, v in asked.query.items())
    return "&".join(f"{name}={value}" for name, value in pairs)


def _asked(scope: Any, body: bytes) -> Asked:
    raw_query = scope["query_string"].decode()
    headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
    path = scope["raw_path"].decode().partition("?")[0]
    query = dict(parse_qsl(raw_query, keep_blank_values=True))
    return Asked(scope["method"], path, query, headers, body, raw_query)


def _action(asked: Asked) -> str:
    action = f"{asked.method} {','.join(sorted(asked.query))}".strip()
    if action not in Bucket()._handlers():
        raise Refused(405, "MethodNotAllowed")
    return action


def _etag(content: bytes) -> str:
    return f'"{hashlib.md5(content).hexdigest()}"'


def _error(code: str) -> bytes:
    return f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{code}</Message></Error>".encode()


@asynccontextmanager
async def bucket() -> AsyncIterator[Bucket]:
    """A bucket behind a real HTTP server."""
    listener = socket.create_server(("127.0.0.1", 0))
    served, stop, config = Bucket(f"http://127.0.0.1:{listener.getsockname()[1]}"), asyncio.Event(), Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.loglevel, config.accesslog = "WARNING", None
    config.graceful_timeout = config.shutdown_timeout = 0.2
    wait: Callable[[], Awaitable[Any]] = stop.wait
    task = asyncio.create_task(serve(served, config, shutdown_trigger=wait))  # type: ignore[arg-type]
    try:
        yield served
    finally:
        stop.set()
        await task
