/** The address of the chat's page, and what it carries. */

export interface LoaderConfig {
  tenantId?: string;
  siteId?: string;
  baseUrl?: string;
  position?: string;
  language?: string;
  /** Somebody who is signed in on the shop's page. Believed only with `userHash` or `identityToken`. */
  userId?: string;
  userName?: string;
  userEmail?: string;
  userPhone?: string;
  userHash?: string;
  identityToken?: string;
}

const PERSON = ["userId", "userName", "userEmail", "userPhone", "userHash", "identityToken"] as const;
const LONGEST = 1_000;

/** The site goes into the query; the person into the fragment, which no browser sends and no server logs. */
export function frameUrl(base: string, config: LoaderConfig, language: string): string {
  const site = new URLSearchParams();
  const put = (name: string, value: unknown): void => {
    if (value) site.set(name, String(value).slice(0, LONGEST));
  };
  put("tenantId", config.tenantId);
  put("domain", location.hostname);
  put("origin", location.origin);
  put("url", location.href.split("#")[0]);
  put("referrer", document.referrer);
  put("siteId", config.siteId);
  put("lang", language);
  const person = new URLSearchParams();
  for (const name of PERSON) {
    const value = config[name];
    if (value) person.set(name, String(value));
  }
  const fragment = String(person);
  return `${base}/embed?${site}${fragment && "#"}${fragment}`;
}
