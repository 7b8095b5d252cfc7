/**
 * The script on a shop's pages: a bubble, and behind it the chat in a frame.
 *
 * It talks to nobody over the network, leaves nothing in `window`, and styles itself through objects, so that a
 * page whose content security policy allows no inline styles can have it. What it needs from a page's policy is
 * this script's origin in `script-src` and `frame-src`.
 */

import { directionOf, languageOf } from "./language";
import { frameUrl, type LoaderConfig } from "./loader-frame";
import { BUBBLE, COUNT, FRAME, SHEET } from "./loader-style";
import { WORDS } from "./loader-strings";

declare global {
  interface Window {
    ChatWidgetConfig?: LoaderConfig;
  }
}

const MARK = "data-chat-widget";
const SVG = "http://www.w3.org/2000/svg";
const SPEECH = "M4 4h16a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2h-8l-5 4v-4H4a2 2 0 0 1-2-2V6a2 2 0 0 1 2-2z";
const CROSS = "M6 6l12 12M18 6L6 18";

/** Known only while the script runs, so it is asked for at once. */
const script = document.currentScript as HTMLScriptElement | null;

function ownOrigin(): string {
  const source = script ?? document.querySelector<HTMLScriptElement>('script[src*="/widget.v1"]');
  return source?.src ? new URL(source.src).origin : location.origin;
}

/** Without a slash at the end. What is no address must not stop the shop's page. */
function baseOf(said?: string): string {
  try {
    return new URL(said || ownOrigin(), location.href).href.replace(/\/+$/, "");
  } catch {
    return ownOrigin();
  }
}

function mount(): void {
  // Included twice, it is there once.
  if (document.querySelector(`[${MARK}]`)) return;
  const config = window.ChatWidgetConfig ?? {};
  const base = baseOf(config.baseUrl);
  const language = languageOf(config.language, document.documentElement.lang, navigator.language);
  const [open, close, chat, unread] = WORDS[language];

  const host = document.createElement("div");
  host.setAttribute(MARK, "");
  host.lang = language;
  host.dir = directionOf(language);
  const root = host.attachShadow({ mode: "open" });
  dress(root, config.position);

  const bubble = document.createElement("button");
  bubble.type = "button";
  bubble.className = BUBBLE;
  bubble.setAttribute("aria-controls", FRAME);
  const shape = drawing();
  const count = document.createElement("span");
  count.className = COUNT;
  count.hidden = true;
  bubble.append(shape.icon, count);

  const frame = document.createElement("iframe");
  frame.id = FRAME;
  frame.title = chat;
  // Visitors on pages that tell nobody where they come from are told apart by the address alone.
  frame.referrerPolicy = "strict-origin-when-cross-origin";

  let isOpen = false;
  let isLoaded = false;
  let fresh = 0;

  const draw = (): void => {
    root.host.toggleAttribute("data-open", isOpen);
    bubble.setAttribute("aria-expanded", String(isOpen));
    const news = fresh ? `. ${unread}: ${fresh}` : "";
    bubble.setAttribute("aria-label", isOpen ? close : open + news);
    shape.set(isOpen ? CROSS : SPEECH);
    count.textContent = fresh > 9 ? "9+" : String(fresh);
    count.hidden = !fresh;
  };

  const tellOpen = (): void => {
    const message = { type: "amoiq-widget-open", url: location.href.split("#")[0] };
    if (isOpen && isLoaded) frame.contentWindow?.postMessage(message, new URL(base).origin);
  };

  const load = (): void => {
    if (!frame.src) frame.src = frameUrl(base, config, language);
  };

  const toggle = (to: boolean): void => {
    if (to === isOpen) return;
    isOpen = to;
    load();
    if (to) fresh = 0;
    draw();
    if (to) {
      frame.focus();
      tellOpen();
    } else {
      bubble.focus();
    }
  };

  bubble.addEventListener("click", () => toggle(!isOpen));
  root.addEventListener("keydown", (event) => {
    if ((event as KeyboardEvent).key === "Escape") toggle(false);
  });
  frame.addEventListener("load", () => {
    isLoaded = frame.src !== ""; // an empty frame loads, too
    tellOpen();
  });
  addEventListener("message", (event) => {
    if (event.source !== frame.contentWindow) return;
    if (event.data?.type === "amoiq-widget-close") toggle(false);
    if (event.data?.type === "amoiq-widget-new-message" && !isOpen) {
      fresh += 1;
      draw();
    }
  });

  draw();
  root.append(frame, bubble);
  document.body.append(host);
  // The shop's page comes first.
  if (document.readyState === "complete") load();
  else addEventListener("load", load);
}

/** One drawing that changes its shape. */
function drawing(): { icon: SVGElement; set: (shape: string) => void } {
  const icon = document.createElementNS(SVG, "svg");
  icon.setAttribute("viewBox", "0 0 24 24");
  icon.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  icon.append(path);
  return { icon, set: (shape) => path.setAttribute("d", shape) };
}

/** Sheets made by script are no inline styles to a policy; a browser that has none of them gets an element. */
function dress(root: ShadowRoot, position?: string): void {
  const text = SHEET(position ?? "bottom-right");
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    root.adoptedStyleSheets = [sheet];
  } catch {
    const style = document.createElement("style");
    style.textContent = text;
    root.append(style);
  }
}

if (document.body) mount();
else document.addEventListener("DOMContentLoaded", mount);
