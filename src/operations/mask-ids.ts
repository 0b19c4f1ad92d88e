import { createHmac } from "node:crypto";

/** Members whose value is one of Meta's words or a time: handlers decide by them, and they name nobody. */
const keptNames =
  /^(object|field|action|verb|reaction|emoji|type|source|status|user_token_status|media_product_type|product_type|notification_messages_timezone|time|timestamp|watermark|.*_(time|timestamp))$/;
/** Members that hold what a person or the business wrote. */
const textNames = /^(text|title|subtitle|caption|name|payload|metadata|ref|reason|feedback|ad_title)$/;
const idNames = /(^|_)id$/;

export interface MaskOptions {
  /** Equal ids become equal invented ones under one key, also in different fixtures; nobody without it can undo that. */
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
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, mask(member, key, options)]));
  }
  if (typeof value === "number" && idNames.test(name)) return maskNumber(value, options.secret);
  if (typeof value !== "string" || keptNames.test(name)) return value;
  if (options.keepsText && textNames.test(name)) return value;
  // A short number is a count; account `0` marks a test.
  if (value === "0" || (/^\d{1,4}$/.test(value) && !idNames.test(name))) return value;
  const [, path] = /^https?:\/\/(.*)$/s.exec(value) ?? [];
  return path === undefined ? disguise(value, options.secret) : `https://example.com/${disguise(path, options.secret)}`;
}

function maskNumber(value: number, secret: string): number {
  const text = String(value);
  if (!/^\d{5,16}$/.test(text)) return value;
  const masked = disguise(text, secret);
  return Number.isSafeInteger(Number(masked)) ? Number(masked) : Number(`1${masked.slice(1)}`);
}

const digits = "0123456789";
const small = "abcdefghijklmnopqrstuvwxyz";
const large = small.toUpperCase();

/** Each digit and letter replaced by another of its class, drawn from the whole text; the rest, such as a dash, stays. */
function disguise(text: string, secret: string): string {
  const draw = drawFrom(text, secret);
  let masked = "";
  for (const character of text) {
    const byte = draw();
    if (/[1-9]/.test(character) && masked === "") masked += digits.charAt(1 + (byte % 9));
    else if (/\d/.test(character)) masked += digits.charAt(byte % 10);
    else if (/\p{Lu}/u.test(character)) masked += large.charAt(byte % 26);
    else if (/\p{L}/u.test(character)) masked += small.charAt(byte % 26);
    else masked += character;
  }
  return masked;
}

/** Bytes that nobody without the secret can tell, the same for the same text. */
function drawFrom(text: string, secret: string): () => number {
  let block = Buffer.alloc(0);
  let next = 0;
  return () => {
    if (next % 32 === 0) block = createHmac("sha256", secret).update(`fixture:${next}:${text}`).digest();
    const byte = block[next % 32] ?? 0;
    next += 1;
    return byte;
  };
}
