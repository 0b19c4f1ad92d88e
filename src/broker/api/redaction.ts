import { createHash } from "node:crypto";

import { canonicalHeaderName, type HeaderMap } from "../message.ts";

/**
 * The fields of `Upstash-Redact-Fields` in one spelling: `body`, `header`, `header[Name]`. Upstash's pages write
 * `headers`, its SDK `header`. `undefined` if one is none of these.
 */
export function parseRedactFields(text: string): string[] | undefined {
  const fields = text.split(",").map((field) => {
    const match = /^(?:(body)|headers?(?:\[([^\]]+)\])?)$/i.exec(field.trim());
    if (!match) return undefined;
    if (match[1]) return "body";
    return match[2] ? `header[${canonicalHeaderName(match[2].trim())}]` : "header";
  });
  return fields.every((field) => field !== undefined) ? [...new Set(fields)] : undefined;
}

/** The bytes to show in place of a body. */
export function redactBody(body: Uint8Array, redact: readonly string[]): Uint8Array {
  return redact.includes("body") && body.byteLength > 0 ? Buffer.from(redacted(body)) : body;
}

/** The header to show in place of the real one. */
export function redactHeader(header: HeaderMap, redact: readonly string[]): HeaderMap {
  if (!redact.some((field) => field.startsWith("header"))) return header;
  const all = redact.includes("header");
  return Object.fromEntries(
    Object.entries(header).map(([name, values]) => [
      name,
      all || redact.includes(`header[${name}]`) ? values.map(redacted) : values,
    ]),
  );
}

/** A hash lets two values be compared that cannot be read. */
function redacted(value: string | Uint8Array): string {
  return `REDACTED:${createHash("sha256").update(value).digest("hex")}`;
}
