import { Chat } from "./chat";
import { readConfig } from "./config";
import { find } from "./dom";
import { Storage } from "./storage";
import { WORDS } from "./strings";

const config = readConfig(location, parent !== window);
const { site, language, locale, gateway } = config;
const storage = new Storage(site.tenantId ?? site.siteId ?? site.origin);
const places = {
  scroll: find("scroll"),
  list: find("thread"),
  latest: find<HTMLButtonElement>("latest"),
};
const chat = new Chat(config, { words: WORDS[language], locale, gateway }, storage, places);
chat.start();

if (config.isFramed) {
  addEventListener("message", (event) => {
    if (event.source !== parent || event.data?.type !== "amoiq-widget-open") return;
    chat.open(typeof event.data.url === "string" ? event.data.url : undefined);
  });
} else {
  chat.open();
}
