// Pages of the widget without a browser: socket.io-client and fetch, told what to do line by line.
//
// Each line on standard input is a JSON object with `do` and the `page` that it is about; each line on standard
// output is something that has happened to a page, in the order in which it has.
import { createInterface } from "node:readline";
import { io } from "socket.io-client";

const pages = new Map();

const tell = (page, event, ...content) => process.stdout.write(`${JSON.stringify({ page, event, content })}\n`);

function watch(page, socket) {
  socket.on("connect", () => tell(page, "connect", socket.id, socket.io.engine.transport.name));
  socket.on("connect_error", (error) => tell(page, "connect_error", error.message, error.data ?? null));
  socket.on("disconnect", (reason) => tell(page, "disconnect", reason));
  socket.onAny((event, ...content) => tell(page, event, ...content));
}

const doing = {
  // As the widget does it: the token in three places at once.
  open({ page, url, token, options = {}, join = null }) {
    const socket = io(url, {
      auth: { token },
      query: { token },
      transports: ["websocket", "polling"],
      reconnectionDelay: 100,
      reconnectionDelayMax: 500,
      forceNew: true,
      ...options,
    });
    pages.set(page, socket);
    watch(page, socket);
    if (join !== null) socket.on("connect", () => socket.emit("join:session", join));
  },
  emit({ page, event, content = [] }) {
    pages.get(page).emit(event, ...content);
  },
  // The answer that the widget never asks for, but others may.
  ask({ page, event, content = [] }) {
    pages.get(page).emit(event, ...content, (answer) => tell(page, "acknowledged", answer ?? null));
  },
  // As when a train enters a tunnel: no goodbye, nothing.
  cut({ page }) {
    pages.get(page).io.engine?.transport?.ws?.terminate?.();
  },
  close({ page }) {
    pages.get(page).close();
  },
  async fetch({ page, url, method = "GET", headers = {}, body }) {
    try {
      const response = await fetch(url, {
        method,
        headers: { "content-type": "application/json", ...headers },
        body: body === undefined ? undefined : JSON.stringify(body),
      });
      tell(page, "answer", response.status, await response.json());
    } catch (error) {
      tell(page, "failed", String(error));
    }
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line);
  doing[order.do](order);
}
for (const socket of pages.values()) socket.close();
