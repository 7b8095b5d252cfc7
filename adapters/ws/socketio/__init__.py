"""The widget's sockets: python-socketio, with what it would take along left out.

The library imports the client of every message broker that it finds. Events reach us by our own feed, so
those would only take up memory: 8 MB for redis alone.
"""

import importlib
import sys

_BROKERS = ("redis", "aioredis", "valkey", "kombu", "aio_pika", "kafka", "zmq", "eventlet")


def _import_without_brokers() -> None:
    """Those that are imported already stay as they are."""
    hidden = dict.fromkeys(name for name in _BROKERS if name not in sys.modules)
    sys.modules.update(hidden)  # type: ignore[arg-type]  # None stands for: not to be found
    try:
        importlib.import_module("socketio")
    finally:
        for name in hidden:
            del sys.modules[name]


_import_without_brokers()
