/** Files on their way to the gateway, and files in messages. */

import { icon, make } from "./dom";
import type { Gateway } from "./gateway";
import { anchor, webUrl } from "./links";
import type { Words } from "./strings";
import type { FileItem } from "./wire";

const INLINE = /^data:image\/(png|jpeg|gif|webp);base64,/;
const LONGEST_UPLOAD = 15 * 60_000;

export class UploadFailed extends Error {
  constructor(
    readonly code = "",
    message = "",
  ) {
    super(message);
  }
}

/** Raises Refused or Unreachable from the gateway, UploadFailed, or an AbortError once `signal` says so. */
export async function upload(
  gateway: Gateway,
  conversationId: string,
  file: File,
  told: { progress: (share: number) => void; signal: AbortSignal },
): Promise<FileItem> {
  const slot = await gateway.beginUpload(conversationId, file);
  await put(slot.uploadUrl, file, told);
  const stored = await gateway.completeUpload(conversationId, slot);
  const { publicUrl: url, filename, contentType: content_type, size } = stored;
  return { type: kindOf(content_type), payload: { url, filename, content_type, size } };
}

/** By XMLHttpRequest: fetch does not tell how far it has come. */
function put(
  url: string,
  file: File,
  { progress, signal }: { progress: (share: number) => void; signal: AbortSignal },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PUT", url);
    request.timeout = LONGEST_UPLOAD;
    request.setRequestHeader("Content-Type", file.type || "application/octet-stream");
    request.upload.onprogress = (event) => progress(event.loaded / (event.total || file.size || 1));
    request.onload = () =>
      request.status >= 200 && request.status < 300
        ? resolve()
        : reject(failureIn(request.responseText));
    request.onerror = request.ontimeout = () => reject(new UploadFailed());
    request.onabort = () => reject(new DOMException("", "AbortError"));
    signal.addEventListener("abort", () => request.abort());
    if (signal.aborted) request.abort();
    else request.send(file);
  });
}

function failureIn(body: string): UploadFailed {
  try {
    const { code, message } = JSON.parse(body);
    return new UploadFailed(String(code ?? ""), String(message ?? ""));
  } catch {
    return new UploadFailed();
  }
}

function kindOf(contentType: string): FileItem["type"] {
  const kind = contentType.split("/")[0];
  return kind === "image" || kind === "video" || kind === "audio" ? kind : "document";
}

/** Pictures that our own gateway vouches for are shown; whatever else there is can be opened by its link. */
export function shown(item: FileItem, gateway: string, words: Words, locale: string): Node {
  const { url, filename, size } = item.payload;
  const name = filename || words.file;
  const link = webUrl(url, gateway);
  const isImage = item.type === "image";
  if (isImage && INLINE.test(url)) return make("img", { src: url, alt: name });
  if (isImage && link?.origin === gateway) {
    return anchor(link, make("img", { src: link.href, alt: name, loading: "lazy" }));
  }
  const label = [icon("file"), make("span", { class: "name", dir: "auto" }, name)];
  if (size) label.push(make("span", { class: "size", dir: "auto" }, readable(size, locale)));
  const card = link ? anchor(link) : make("span");
  card.className = "card";
  card.append(...label);
  return card;
}

function readable(bytes: number, locale: string): string {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"];
  const step = Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  const how = { style: "unit", unit: units[step]!, unitDisplay: "short", maximumFractionDigits: 1 } as const;
  return new Intl.NumberFormat(locale, how).format(bytes / 1000 ** step);
}
