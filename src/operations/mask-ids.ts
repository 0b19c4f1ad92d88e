import { createCipheriv, createHmac } from "node:crypto";

/** Members whose value is one of Meta's words or a time: handlers decide by them, and they identify no person. */
const keptNames =
  /^(object|field|action|verb|reaction|emoji|type|source|status|user_token_status|media_product_type|product_type|notification_messages_timezone|time|timestamp|watermark|.*_(time|timestamp))$/;
/** Members that hold what a person or the business wrote. */
const textNames = /^(text|title|subtitle|caption|name|payload|metadata|ref|reason|feedback|ad_title)$/;
const idNames = /(^|_)ids?$/;
/** What the name of a member looks like; an id does not. */
const nameForm = /^(?!.*\d{5})[\w-]{1,60}$/;
/** What a word of Meta's, a time, the name of a zone or an emoji looks like; an id, an address or a sentence does not. */
const wordForm = /^((?!.*(\d{5}|\/\/))[\w.:+/-]{1,60}|\d{1,16}|[^\p{L}\p{N}]+)$/u;

export interface MaskOptions {
  /** Equal ids become equal invented ones under one key, also in different fixtures; without the key the ids cannot be recovered. */
  secret: string;
  keepsText: boolean;
}

/**
 * The value with every id, name, address and text replaced by invented ones of the same length and form, so that it parses
 * to an event of the same kind. What is not known to be harmless is replaced.
 */
export function maskIds(value: unknown, options: MaskOptions): unknown {
  return mask(value, "", options);
}

function mask(value: unknown, name: string, options: MaskOptions): unknown {
  if (Array.isArray(value)) return value.map((item) => mask(item, name, options));
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value);
    return Object.fromEntries(members.map(([key, member]) => [maskName(key, options), mask(member, key, options)]));
  }
  if (typeof value === "number") return isHarmlessNumber(value, name) ? value : maskNumber(value, options.secret);
  if (typeof value !== "string" || isHarmlessText(value, name, options)) return value;
  const [, path] = /^https?:\/\/(.*)$/s.exec(value) ?? [];
  return path === undefined ? disguise(value, options.secret) : `https://example.com/${disguise(path, options.secret)}`;
}

/** A member may be named by an id: reactions by the person who reacted, for example. */
function maskName(name: string, { secret }: MaskOptions): string {
  return nameForm.test(name) ? name : disguise(name, secret);
}

/** A short number is a count. */
function isHarmlessNumber(value: number, name: string): boolean {
  return keptNames.test(name) || (Math.abs(value) < 10_000 && !idNames.test(name));
}

/** A word of Meta's, an emoji, a time, a count; account `0` marks a test. */
function isHarmlessText(value: string, name: string, { keepsText }: MaskOptions): boolean {
  if (textNames.test(name)) return keepsText;
  if (keptNames.test(name)) return wordForm.test(value);
  return value === "0" || (/^\d{1,4}$/.test(value) && !idNames.test(name));
}

/** Of up to 15 digits it is the same as for the text; one of more than 16 has lost its last digits already. */
function maskNumber(value: number, secret: string): number {
  const masked = Number(disguise(String(Math.trunc(Math.abs(value))).slice(0, 16), secret));
  const safe = Number.isSafeInteger(masked) ? masked : Number(`1${String(masked).slice(1)}`);
  return value < 0 ? -safe : safe;
}

/**
 * Each digit and letter replaced by another of its class, drawn from the whole text. Of the rest, ASCII, such as a dash, and
 * emoji stay.
 */
function disguise(text: string, secret: string): string {
  const drawn = drawFrom(text, secret);
  const units = Buffer.from(text.replaceAll(foreign, toAscii), "utf16le");
  // A loop over bytes: one text may have millions of characters, and the process does nothing else meanwhile.
  for (let at = 0; at < units.length; at += 2) {
    if (units[at + 1] !== 0) continue;
    const code = units[at] ?? 0;
    const random = drawn[at / 2] ?? 0;
    if (code > zero && code <= nine && at === 0) units[at] = zero + 1 + (random % 9);
    else if (code >= zero && code <= nine) units[at] = zero + (random % 10);
    else if (code >= largeA && code < largeA + 26) units[at] = largeA + (random % 26);
    else if (code >= smallA && code < smallA + 26) units[at] = smallA + (random % 26);
  }
  return units.toString("utf16le");
}

const [zero, nine, largeA, smallA] = [0x30, 0x39, 0x41, 0x61];

/** Letters, their marks and digits of other scripts, without the mark that makes a character an emoji. */
const foreign = /(?!\p{ASCII}|\uFE0F)[\p{L}\p{M}\p{N}]/gu;

function toAscii(character: string): string {
  return /\p{Nd}/u.test(character) ? "0" : /\p{Lu}/u.test(character) ? "A" : "a";
}

/** One byte for each character, the same for the same text, and unpredictable without the secret. Takes time in proportion to the text. */
function drawFrom(text: string, secret: string): Uint8Array {
  const key = createHmac("sha256", secret).update(`fixture:${text}`).digest();
  return createCipheriv("aes-256-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(text.length));
}
