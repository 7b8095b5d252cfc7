// Shows what the server pushes, and brings its page to the front when somebody clicks on it. It has no hand in what
// the page loads.
"use strict";

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("push", (event) => {
  const { title, options } = notificationOf(event.data);
  event.waitUntil(self.registration.showNotification(title, options));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(show(event.notification.data.url));
});

function notificationOf(pushed) {
  const told = read(pushed);
  const data = typeof told.data === "object" && told.data !== null ? told.data : {};
  const url = data.url ?? data.actionUrl ?? told.actionUrl ?? told.url;
  const options = { body: text(told.body ?? told.message), data: { ...data, url: address(url) } };
  for (const name of ["icon", "badge", "image", "tag"]) {
    if (typeof told[name] === "string") options[name] = told[name];
  }
  return { title: text(told.title) || self.location.host, options };
}

function read(pushed) {
  try {
    const told = pushed?.json();
    return typeof told === "object" && told !== null ? told : { body: text(told) };
  } catch {
    return { body: pushed.text() };
  }
}

function text(value) {
  return value === undefined || value === null ? "" : String(value);
}

// Where a click leads to: null when there is nothing that a browser could open.
function address(url) {
  try {
    const found = new URL(url, self.location.origin);
    return typeof url === "string" && /^https?:$/.test(found.protocol) ? found.href : null;
  } catch {
    return null;
  }
}

async function show(url) {
  const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const open = windows.find((window) => url === null || window.url === url);
  return open ? open.focus() : self.clients.openWindow(url ?? "/");
}
