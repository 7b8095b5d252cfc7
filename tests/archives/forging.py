"""Archives that nobody exported: opened, changed, and put together again."""

import hashlib
import json
import zipfile


def contents(path):
    with zipfile.ZipFile(path) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def write(path, entries, *, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items() if isinstance(entries, dict) else entries:
            stored = zipfile.ZIP_STORED if name.startswith("files/") else method
            archive.writestr(name, content, stored)


def sealed(there, **changes):
    """The entries with a manifest that says what they are, as somebody who means it would make one."""
    manifest = json.loads(there["manifest.json"])
    told = [
        {
            "name": name,
            "rows": content.count(b"\n") if name.endswith(".jsonl") else None,
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        for name, content in there.items()
        if not name.startswith("manifest.")
    ]
    content = json.dumps({**manifest, "entries": told, **changes}).encode()
    rest = {name: content for name, content in there.items() if not name.startswith("manifest.")}
    return {
        **rest,
        "manifest.json": content,
        "manifest.sha256": hashlib.sha256(content).hexdigest() + "\n",
    }
