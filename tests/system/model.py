"""A language model's server: it hears every question, and answers when it is told to."""

import json
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PATIENCE = 20.0
KEY = "sk-not-a-real-key-of-any-model"


class Model:
    def __init__(self) -> None:
        self.asked: queue.SimpleQueue[str] = queue.SimpleQueue()
        """The last thing that a customer said, for each question."""
        self.speaks = threading.Event()
        self.port = 0

    def was_asked(self) -> str:
        """Waits for a question. Raises queue.Empty."""
        return self.asked.get(timeout=PATIENCE)

    @property
    def settings(self) -> dict[str, str]:
        return {
            "PARLEY_ASSISTANT": "openai",
            "OPENAI_API_KEY": KEY,
            "OPENAI_BASE_URL": f"http://127.0.0.1:{self.port}/v1",
            "OPENAI_TIMEOUT": "60",
        }

    def answer(self, body: bytes) -> bytes:
        question = json.loads(body)["messages"][-1]["content"]
        self.asked.put(question)
        self.speaks.wait(PATIENCE)
        message = {"role": "assistant", "content": f"You asked: {question}"}
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        completion = {"id": "c", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice]}
        return json.dumps(completion).encode()


@contextmanager
def a_model() -> Iterator[Model]:
    model = Model()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = model.answer(self.rfile.read(int(self.headers["Content-Length"])))
            try:
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except OSError:
                """Whoever asked is gone."""

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        model.port = server.server_port
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            yield model
        finally:
            model.speaks.set()
            server.shutdown()
            serving.join()
