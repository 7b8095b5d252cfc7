"""`parley push`: this server's identity towards browsers' push services."""

import sys

import typer

app = typer.Typer(help="Pushes to browsers.", no_args_is_help=True)


@app.callback()
def push() -> None:
    """With a callback a single command keeps its name."""


@app.command("keys")
def keys() -> None:
    """Print a new pair of keys, as settings; VITE_VAPID_PUBLIC_KEY is for pages that have theirs built in."""
    from adapters.providers.vapid import Vapid, new_private_key, private_key

    made = new_private_key()
    public = Vapid(private_key(made), subject="").public_key
    sys.stdout.write(f"VAPID_PRIVATE_KEY={made}\nVITE_VAPID_PUBLIC_KEY={public}\n")
