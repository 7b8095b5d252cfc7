/** What the page was opened with: by the loader, by somebody's own frame, or as a page of its own. */

import { directionOf, languageOf, localeOf, type Language } from "../language";
import { webUrl } from "./links";

/** Labels that tell the gateway whose chat this is; undefined ones are not sent. */
export interface Site {
  readonly domain: string;
  readonly origin: string;
  url: string;
  readonly referrer: string | undefined;
  readonly siteId: string | undefined;
  readonly tenantId: string | undefined;
}

/** Somebody who is signed in on the shop's page. `hash` or `token` prove it to the gateway. */
export interface Person {
  readonly id: string | undefined;
  readonly name: string | undefined;
  readonly email: string | undefined;
  readonly phone: string | undefined;
  readonly hash: string | undefined;
  readonly token: string | undefined;
}

export interface Config {
  readonly gateway: string;
  readonly site: Site;
  readonly person: Person;
  readonly language: Language;
  /** The visitor's own way to write dates, if it is one of that language. */
  readonly locale: string;
  readonly direction: "rtl" | "ltr";
  /** Whether a bubble opens and closes us. */
  readonly isFramed: boolean;
}

/** What pages send that were copied from an example and never filled in. */
const PLACEHOLDERS = new Set(["your-tenant-id", "tenant-id", "your_tenant_id", "tenant_id"]);

export function readConfig(where: Location, isFramed: boolean): Config {
  const query = new URLSearchParams(where.search);
  const fragment = new URLSearchParams(where.hash.slice(1));
  const given = (...names: string[]): string | undefined => {
    for (const name of names) {
      const value = (fragment.get(name) ?? query.get(name))?.trim();
      if (value) return value;
    }
    return undefined;
  };
  const tenant = given("tenantId", "tenant");
  const domain = given("domain");
  const site = webUrl(given("origin") ?? (domain ? `https://${domain}` : "")) ?? where;
  const language = languageOf(given("lang"), ...navigator.languages);
  return {
    gateway: where.origin,
    site: {
      domain: site.hostname,
      origin: site.origin,
      url: given("url") ?? where.origin + where.pathname,
      referrer: given("referrer"),
      siteId: given("siteId"),
      tenantId: tenant && !PLACEHOLDERS.has(tenant) ? tenant : undefined,
    },
    person: {
      id: given("userId"),
      name: given("userName"),
      email: given("userEmail"),
      phone: given("userPhone"),
      hash: given("userHash"),
      token: given("identityToken"),
    },
    language,
    locale: localeOf(language, navigator.languages),
    direction: directionOf(language),
    isFramed,
  };
}
