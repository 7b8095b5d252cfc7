/** What happens when: between the visitor, the gateway, other tabs and the conversation on the page. */

import type { Manner } from "./bubble";
import type { Config } from "./config";
import { Connection, type ConnectionListener, type Trouble } from "./connection";
import { Gateway, Refused } from "./gateway";
import { Live, type LiveListener } from "./live";
import { Outbox, type OutboxListener, type Unsent } from "./outbox";
import { Reading } from "./reading";
import { Session } from "./session";
import type { Storage } from "./storage";
import { Thread, type ThreadPlaces } from "./thread";
import { Uploading } from "./uploading";
import { View, type ViewListener } from "./view";
import type { Message, SentAnswer } from "./wire";

const NAME = "sender_name";
/** No page makes a new session more often than this, whatever the gateway thinks of them. */
const RENEWAL_PAUSE = 60_000;

export class Chat implements LiveListener, OutboxListener, ConnectionListener, ViewListener {
  private readonly session: Session;
  private readonly gateway: Gateway;
  private readonly outbox: Outbox;
  private readonly live: Live;
  private readonly connection: Connection;
  private readonly thread: Thread;
  private readonly uploading: Uploading;
  private readonly view: View;
  private readonly reading: Reading;
  private sessionId = "";
  private conversationId: string | undefined;
  private hasEnded = false;
  private hasInit = false;
  private renewedAt = -RENEWAL_PAUSE;

  constructor(
    private readonly config: Config,
    private readonly manner: Manner,
    private readonly storage: Storage,
    places: ThreadPlaces,
  ) {
    this.session = new Session(storage, config.person);
    this.gateway = new Gateway(config, this.session, () => this.name || undefined);
    this.outbox = new Outbox(storage, this.gateway, this);
    this.live = new Live(() => this.session.id, this);
    this.connection = new Connection(this.gateway, this.live, this);
    this.thread = new Thread(places, manner);
    this.uploading = new Uploading(this.gateway, this.thread, this.outbox, manner);
    this.view = new View(config, manner.words, this);
    this.reading = new Reading(this.gateway, storage, places.scroll, (messages) => this.read(messages));
  }

  start(): void {
    const isNew = this.session.begin(!this.outbox.isEmpty);
    this.sessionId = this.session.id;
    this.storage.onChange("session_id", () => this.onOtherTab());
    this.storage.onChange(NAME, () => this.view.asksName(this.name === null));
    document.addEventListener("visibilitychange", () => this.onVisible());
    addEventListener("online", () => void this.outbox.flush());
    this.view.asksName(this.name === null);
    this.outbox.show();
    if (!isNew) void this.reading.refresh();
    void this.connection.begin();
    void this.outbox.flush();
  }

  open(url?: string): void {
    this.reading.isOpen = true;
    if (url) this.config.site.url = url;
    this.renewIfLapsed();
    this.thread.toEnd();
    this.reading.mark(this.thread.lastSequence);
    this.view.focus();
    void this.gateway.open().catch(ignored);
    void this.init();
  }

  // What the visitor does

  onName(name: string): void {
    this.storage.set(NAME, name);
    this.view.asksName(false);
    this.view.focus();
    void this.init();
  }

  onText(text: string): void {
    this.renewIfLapsed();
    this.session.touch();
    this.outbox.add(text);
  }

  onFiles(files: File[]): void {
    for (const file of files) if (this.conversationId) void this.uploading.add(this.conversationId, file);
  }

  onClose(): void {
    this.reading.isOpen = false;
    tellParent("amoiq-widget-close");
  }

  // What the gateway says

  onMessage(message: Message): void {
    this.take(message);
    this.reading.mark(this.thread.lastSequence);
  }

  onConversation(conversationId: string): void {
    const isAnother = this.conversationId !== undefined && this.conversationId !== conversationId;
    if (isAnother) {
      // Somebody whom their shop knows has a conversation already, from elsewhere.
      this.thread.clear();
      this.outbox.show();
    }
    this.know(conversationId);
    void this.reading.refresh();
  }

  onClosed(): void {
    this.end();
  }

  onReopened(): void {
    this.resume();
  }

  onUp(): void {
    this.connection.onUp();
    void this.outbox.flush();
    void this.init();
  }

  onDown(): void {
    this.connection.onDown();
  }

  onTurnedAway(): void {
    void this.connection.begin();
  }

  onNews(): void {
    void this.reading.refresh();
  }

  onTrouble(trouble: Trouble): void {
    const { words } = this.manner;
    this.view.says(trouble === "none" ? "" : words[trouble]);
  }

  isOpen(): boolean {
    return this.reading.isSeen;
  }

  onStrangersSession(): boolean {
    if (performance.now() - this.renewedAt < RENEWAL_PAUSE) return false;
    this.renewedAt = performance.now();
    this.session.renew();
    this.restart();
    return true;
  }

  // What becomes of the visitor's messages

  onUnsent(unsent: Unsent): void {
    const { tempId } = unsent;
    const retry = (): void => this.outbox.retry(tempId);
    this.thread.wait(unsent, { retry, remove: () => this.outbox.remove(tempId) });
  }

  onSent(tempId: string, { data }: SentAnswer): void {
    this.thread.sent(tempId, data?.message_id ?? data?.messageId, data?.sequence);
    if (data?.conversation_id) this.know(data.conversation_id);
    this.resume();
  }

  onGone(tempId: string): void {
    if (this.thread.isRefused(tempId)) {
      this.thread.drop(tempId);
    } else {
      this.thread.sent(tempId);
      void this.reading.refresh();
    }
  }

  private get name(): string | null {
    return this.config.person.name ?? this.storage.get(NAME);
  }

  /** Once a page is open and we know whom we talk to. */
  private async init(): Promise<void> {
    if (this.hasInit || this.name === null || !this.reading.isOpen) return;
    this.hasInit = true;
    try {
      const { ws_token, ws_server_url, closed_at } = await this.gateway.init();
      this.live.connect(ws_server_url, ws_token);
      if (closed_at) this.end();
    } catch (error) {
      this.hasInit = error instanceof Refused && !error.isTemporary;
    }
  }

  private read(messages: Message[]): void {
    for (const message of messages) this.take(message);
    this.reading.mark(this.thread.lastSequence);
  }

  private take(message: Message): void {
    this.know(message.conversation_id);
    const isNew = this.thread.say(message);
    if (message.temp_id) this.outbox.settle(message.temp_id);
    const isTheirs = message.sender !== "user";
    if (isNew && isTheirs && this.reading.isUnread(message.sequence)) tellParent("amoiq-widget-new-message");
  }

  private know(conversationId: string): void {
    this.conversationId = conversationId;
    this.view.mayAttach(true);
  }

  private end(): void {
    if (!this.hasEnded) this.thread.note(this.manner.words.ended);
    this.hasEnded = true;
  }

  private resume(): void {
    if (this.hasEnded) this.thread.note(this.manner.words.resumed);
    this.hasEnded = false;
  }

  private onVisible(): void {
    if (document.hidden) return;
    this.renewIfLapsed();
    this.connection.hurry();
    this.reading.mark(this.thread.lastSequence);
  }

  private renewIfLapsed(): void {
    if (this.session.begin(!this.outbox.isEmpty)) this.restart();
  }

  private onOtherTab(): void {
    if (this.session.id !== this.sessionId) this.restart();
  }

  /** With another session, everything begins anew, except what is still to be sent. */
  private restart(): void {
    this.sessionId = this.session.id;
    this.conversationId = undefined;
    this.hasEnded = this.hasInit = false;
    this.live.disconnect();
    this.thread.clear();
    this.view.mayAttach(false);
    this.outbox.show();
    void this.connection.begin();
    void this.init();
  }
}

/** Who frames us is anybody's page, so nothing but the name of what happened goes there. */
function tellParent(type: string): void {
  if (parent !== window) parent.postMessage({ type }, "*");
}

/** That the bubble was opened is worth a try, and no more. */
function ignored(): void {}
