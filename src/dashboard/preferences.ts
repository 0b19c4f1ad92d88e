import { knownZone, utc } from "./zone.ts";

/** What one reader of the pages chose, kept in cookies of the browser. */
export interface Preferences {
  /** The zone of all times on the pages; an IANA name that this server knows. `UTC` by default. */
  zone: string;
  /** Whether lists show the text of messages. False by default: others may see the screen. */
  showsText: boolean;
  /** How often an open page asks for news, in seconds; null for never. */
  liveSeconds: number | null;
  /** Whether single keys act. They can be switched off, because speech input types them. https://www.w3.org/TR/WCAG22/#character-key-shortcuts */
  hasKeys: boolean;
}

/** What holds for a reader who chose nothing. */
export const defaultPreferences: Preferences = { zone: utc, showsText: false, liveSeconds: 5, hasKeys: true };

/** The choices of `liveSeconds`. */
export const liveChoices = [5, 15, 60, null];

const lifetimeSeconds = 365 * 24 * 3_600;

/** The preferences in a request's cookies; the default for each that is absent or malformed. */
export function parsePreferences(cookies: { get(name: string): { value: string } | undefined }): Preferences {
  const chosen = (name: FieldName) => fields[name](cookies.get(`relay_${name}`)?.value ?? "");
  const live = chosen("live");
  return {
    zone: chosen("zone") ?? defaultPreferences.zone,
    showsText: chosen("text") === "shown",
    liveSeconds: live === null ? defaultPreferences.liveSeconds : live === "off" ? null : Number(live),
    hasKeys: chosen("keys") !== "off",
  };
}

/** The `Set-Cookie` headers for the preferences that a form changes; fields that are unknown or malformed change nothing. */
export function preferenceCookies(form: URLSearchParams): string[] {
  return fieldNames.flatMap((name) => {
    const value = fields[name](form.get(name) ?? "");
    if (value === null) return [];
    const attributes = `Max-Age=${lifetimeSeconds}; Path=/dashboard; HttpOnly; SameSite=Lax`;
    return [`relay_${name}=${encodeURIComponent(value)}; ${attributes}`];
  });
}

type FieldName = "zone" | "text" | "live" | "keys";

const fieldNames: readonly FieldName[] = ["zone", "text", "live", "keys"];

/** The value that each field of the form, and each cookie, may have; null for any other. */
const fields: Record<FieldName, (value: string) => string | null> = {
  zone: (value) => (value === "" ? null : knownZone(value)),
  text: oneOf(["shown", "hidden"]),
  live: oneOf(liveChoices.map((seconds) => `${seconds ?? "off"}`)),
  keys: oneOf(["on", "off"]),
};

function oneOf(words: readonly string[]) {
  return (value: string) => (words.includes(value) ? value : null);
}
