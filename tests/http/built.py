"""A front end as a bundler leaves it, with things beside it and in it that are nobody's business."""

from pathlib import Path

INDEX = "<!doctype html><title>Lumen</title><script type=module src=/assets/index-DkT5kP3x.js></script>"
SCRIPT = "console.log('lumen');" * 50
SECRET = "the-family-silver"
FILES = {
    "dist/index.html": INDEX,
    "dist/assets/index-DkT5kP3x.js": SCRIPT,
    "dist/assets/index-BqX-_4aZ.css": "body{}",
    "dist/assets/data.json": "{}",
    "dist/favicon.ico": "icon",
    "dist/über uns.txt": "hello",
    "dist/.env": SECRET,
    "dist/assets/.git/config": SECRET,
    "secret.txt": SECRET,
    "distant/secret.txt": SECRET,
}


def build(folder: Path) -> Path:
    """Where the front end is."""
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder / "dist"
