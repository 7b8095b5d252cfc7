/** Which of our languages to speak, and which way it runs. */

export const LANGUAGES = ["en", "ar", "de", "es", "fr", "he", "pt"] as const;
export type Language = (typeof LANGUAGES)[number];

/** The first wish that we can fulfil: `pt-BR` is fulfilled by `pt`. English when there is none. */
export function languageOf(...wishes: readonly (string | null | undefined)[]): Language {
  for (const wish of wishes) {
    const base = wish?.toLowerCase().split(/[-_]/)[0];
    const known = LANGUAGES.find((language) => language === base);
    if (known) return known;
  }
  return "en";
}

export function directionOf(language: Language): "rtl" | "ltr" {
  return language === "ar" || language === "he" ? "rtl" : "ltr";
}

/** How the visitor writes dates in it: `en-GB`, say. Some browsers name locales that no date can be written in. */
export function localeOf(language: Language, wishes: readonly string[]): string {
  const tag = new RegExp(`^${language}(-[a-z0-9]{2,8})*$`, "i");
  return wishes.find((wish) => tag.test(wish)) ?? language;
}
