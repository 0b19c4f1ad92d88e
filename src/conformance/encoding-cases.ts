import { accepts, type ConformanceCase, faultIfBroken, type Level } from "./conformance-case.ts";
import { change, changesEntry, envelope, item, message, messageBody, messagingEntry, write } from "./deliveries.ts";
import type { Body, Delivery, Receiver } from "./receiver.ts";

const seen = "Seen in Meta's deliveries.";
const genuine = "It is signed: what a receiver cannot read it should keep rather than have Meta repeat it for hours.";
const header = "The signature is over the body alone; a header that a proxy rewrote makes the body no less genuine.";

/** The same things said in other bytes. All are signed as they are sent. */
export const encodingCases: ConformanceCase[] = [
  said("escaped-unicode", "must", "escapes for all beyond ASCII, in pairs beyond the first plane", seen, (nowMs) =>
    textBody(nowMs, "caf\\u00e9 \\ud83d\\ude80 \\u05e9\\u05dc\\u05d5\\u05dd"),
  ),
  said("escaped-slashes", "must", "\\/ for a slash", seen, (nowMs) => textBody(nowMs, "https:\\/\\/example.com\\/a")),
  said("spaces", "must", "a space after each comma and colon", "Seen in comments, while messages have none.", (nowMs) =>
    write(envelope(changesEntry(nowMs, change())), { separators: "spaced" }),
  ),
  said("raw-utf8", "must", "characters beyond ASCII as they are", "JSON is UTF-8; escapes are a choice.", (nowMs) =>
    write(envelope(messagingEntry(nowMs, item(nowMs))), { unicode: "raw" }),
  ),
  said("lone-surrogate", "must", "half of a surrogate pair", "A text cut in the middle of an emoji has one.", (nowMs) =>
    textBody(nowMs, "cut \\ud83d"),
  ),
  said("nul", "must", "an escaped NUL", "Valid JSON that databases refuse.", (nowMs) => textBody(nowMs, "a\\u0000b")),
  said("big-integers", "must", "integers beyond 2^53", "Meta's pages show ids without quotes.", (nowMs) =>
    messageBody(nowMs).replace(/"timestamp":/, '"ad_id":120200000000000001,"timestamp":'),
  ),
  said("odd-keys", "should", "repeated keys and __proto__", genuine, (nowMs) =>
    messageBody(nowMs).replace(/"timestamp":/, '"__proto__":{"a":1},"constructor":1,"timestamp":1,"timestamp":'),
  ),
  said(
    "indented",
    "should",
    "JSON over several lines",
    "It is the same JSON.",
    (nowMs) => `${JSON.stringify(envelope(messagingEntry(nowMs, item(nowMs))), null, 2)}\n`,
  ),
  said("bom", "should", "a byte order mark in front", genuine, (nowMs) => `\ufeff${messageBody(nowMs)}`),
  said("deep", "should", "two hundred levels of nesting", genuine, (nowMs) =>
    messageBody(nowMs).replace(/"timestamp":/, `"deep":${"[".repeat(200)}${"]".repeat(200)},"timestamp":`),
  ),
  said("invalid-utf8", "should", "bytes that are not UTF-8", genuine, (nowMs) =>
    Buffer.concat([
      Buffer.from(messageBody(nowMs).slice(0, -1)),
      Buffer.from(',"x":"'),
      Buffer.from([0xff, 0xfe]),
      Buffer.from('"}'),
    ]),
  ),
  said("not-json", "should", "a signed body that is not JSON", genuine, (nowMs) => `signed at ${nowMs}, but no JSON`),
  {
    id: "encoding.empty",
    level: "should",
    checks: "a signed empty body breaks nothing",
    why: "Health checks and misconfigured proxies send such.",
    run: async (receiver) => faultIfBroken(await receiver.deliver({ body: "" })),
  },
  sent("charset", "should", "Content-Type with a charset", header, "Content-Type", "application/json; charset=utf-8"),
  sent("other-type", "should", "Content-Type: text/plain", header, "Content-Type", "text/plain"),
  sent("no-type", "should", "no Content-Type", header, "Content-Type", null),
  delivered("chunked", "must", "a body in chunks, of unannounced length", {
    why: "Every HTTP/1.1 server must take it (RFC 9112, 7.1), and proxies pass bodies on like this.",
    how: { isChunked: true, pieces: 7 },
  }),
  delivered("expect", "should", "Expect: 100-continue", {
    why: "Widespread HTTP clients ask before they send a large body.",
    how: { headers: { Expect: "100-continue" } },
  }),
];

function said(
  name: string,
  level: Level,
  checks: string,
  why: string,
  build: (nowMs: number) => Body,
): ConformanceCase {
  return accepts({
    id: `encoding.${name}`,
    level,
    checks: `taken: ${checks}`,
    why,
    send: (receiver) => ({ body: build(receiver.clock.nowMs()) }),
  });
}

function delivered(
  name: string,
  level: Level,
  checks: string,
  { why, how }: { why: string; how: Omit<Delivery, "body"> },
): ConformanceCase {
  return accepts({
    id: `encoding.${name}`,
    level,
    checks: `taken: ${checks}`,
    why,
    send: ({ clock }: Receiver) => ({ body: messageBody(clock.nowMs()), ...how }),
  });
}

function sent(
  name: string,
  level: Level,
  checks: string,
  why: string,
  header_: string,
  value: string | null,
): ConformanceCase {
  return delivered(name, level, checks, { why, how: { headers: { [header_]: value } } });
}

/** A message whose text is written exactly so in the JSON. */
function textBody(nowMs: number, written: string): string {
  return write(envelope(messagingEntry(nowMs, item(nowMs, { message: message({ text: "TEXT" }) })))).replace(
    "TEXT",
    () => written,
  );
}
