import { parseUrl } from "#platform/parse-url.ts";

/** The ids in what an operator has pasted. */
export interface PastedIds {
  ids: string[];
  /** The list that a link of the dashboard or of the API leads to: then the id is of that list. */
  list: LinkedList | null;
}

const linkedLists = ["events", "deliveries", "dead-letters", "replays", "backfills"] as const;
export type LinkedList = (typeof linkedLists)[number];

/** A line of a log has few ids; a paste of a whole file is not looked up. */
const idsMax = 12;

/** No id has other characters. */
const idPattern = /^[\w.:=+/@#~-]{1,400}$/;

/** Reads ids from an id alone, also with spaces, quotes or brackets around it, from a link, or from a line of a log. */
export function readIds(pasted: string): PastedIds {
  const text = pasted.replace(/^[\s"'`<>()[\]{},;]+|[\s"'`<>()[\]{},;.]+$/g, "");
  if (isLink(text)) return readLink(text);
  if (idPattern.test(text)) return { ids: [text], list: null };
  const words = text.split(/[\s"'`<>()[\]{},;|\\]+/);
  return { ids: cap(words.flatMap((word) => (isLink(word) ? readLink(word).ids : idsOfWord(word)))), list: null };
}

function isLink(text: string): boolean {
  return /^(https?:\/\/|\/(dashboard|api)\/)/i.test(text);
}

function readLink(text: string): PastedIds {
  const link = parseUrl(text, "http://localhost");
  if (link === null) return { ids: [], list: null };
  const { pathname, searchParams } = link;
  const [, list, id] = /^\/(?:dashboard|api\/ops)\/([a-z-]+)\/([^/]+)\/?$/.exec(pathname) ?? [];
  const linked = linkedLists.find((name) => name === list);
  const named = linked === undefined || id === undefined ? [] : [decode(id)].filter((one) => idPattern.test(one));
  if (linked !== undefined && named.length > 0) return { ids: named, list: linked };
  const parts = [...searchParams.values(), ...pathname.split("/").map(decode)];
  return { ids: cap(parts.filter((part) => idPattern.test(part) && looksLikeId(part))), list: null };
}

/** `deliveryId=…` is an id with its name before it; an event's key has colons of its own. */
function idsOfWord(word: string): string[] {
  const [, value] = /^[A-Za-z_.]{2,40}[=:](.+)$/.exec(word) ?? [];
  const found = [word, ...(value === undefined ? [] : [value])];
  return found.filter((one) => idPattern.test(one) && looksLikeId(one));
}

/** Not a word, a version or a time. */
function looksLikeId(text: string): boolean {
  const digits = text.replaceAll(/\D/g, "").length;
  const isTime = /^\d{4}-\d\d-\d\dT[\d:.]+Z?$/.test(text);
  return !isTime && (digits >= 5 || (digits >= 1 && text.length >= 16) || /^(msg|rp|bf|mid)_./.test(text));
}

function cap(ids: readonly string[]): string[] {
  return [...new Set(ids)].slice(0, idsMax);
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
