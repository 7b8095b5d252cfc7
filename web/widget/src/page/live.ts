/** The socket: what others say, as they say it. What it misses while it is down, the history brings. */

import { io, type Socket } from "socket.io-client";

import { Backoff } from "./backoff";
import { isMessage, type Message } from "./wire";

export interface LiveListener {
  onMessage(message: Message): void;
  /** Comes with every joining of a session that has a conversation, too: time to read what was missed. */
  onConversation(conversationId: string): void;
  onClosed(conversationId: string): void;
  onReopened(conversationId: string): void;
  onUp(): void;
  onDown(): void;
  /** The server has turned us away: a new token may help. */
  onTurnedAway(): void;
}

export class Live {
  private socket: Socket | undefined;
  private token = "";
  private readonly backoff = new Backoff();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly sessionId: () => string,
    private readonly listener: LiveListener,
  ) {}

  get isUp(): boolean {
    return this.socket?.connected ?? false;
  }

  /** Also with a newer token: one that is up stays up, and takes the token along when it reconnects. */
  connect(url: string, token: string): void {
    this.token = token;
    if (!this.socket) this.socket = this.make(url);
    else if (!this.socket.active) this.socket.connect();
  }

  disconnect(): void {
    clearTimeout(this.timer);
    this.socket?.removeAllListeners();
    this.socket?.disconnect();
    this.socket = undefined;
  }

  /** At once, instead of after the present wait. */
  hurry(): void {
    if (this.socket?.active && !this.socket.connected) this.socket.disconnect().connect();
  }

  private make(url: string): Socket {
    const socket = io(url, {
      auth: (give) => give({ token: this.token }),
      transports: ["websocket", "polling"],
      tryAllTransports: true,
      reconnectionDelayMax: 8_000,
    });
    socket.on("connect", () => {
      this.backoff.reset();
      socket.emit("join:session", this.sessionId());
      this.listener.onUp();
    });
    socket.on("disconnect", () => {
      this.listener.onDown();
      this.askForToken(socket);
    });
    socket.on("connect_error", () => this.askForToken(socket));
    this.hear(socket);
    return socket;
  }

  /** By itself the client reconnects after a lost connection only, not after the server has said no. */
  private askForToken(socket: Socket): void {
    if (socket.active) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.listener.onTurnedAway(), this.backoff.next());
  }

  private hear(socket: Socket): void {
    const heardMessage = (said: { message?: unknown } | undefined): void => {
      const message = said?.message ?? said;
      if (isMessage(message)) this.listener.onMessage(message);
    };
    socket.on("message:new", heardMessage);
    socket.on("meta_message_created", heardMessage);
    socket.on("message", heardMessage);
    const hear = (event: string, heard: (conversationId: string) => void): void => {
      socket.on(event, (said: { conversation_id?: unknown } | undefined) => {
        if (typeof said?.conversation_id === "string") heard(said.conversation_id);
      });
    };
    hear("conversation:created", (id) => this.listener.onConversation(id));
    hear("conversation:closed", (id) => this.listener.onClosed(id));
    hear("conversation:reopened", (id) => this.listener.onReopened(id));
  }
}
