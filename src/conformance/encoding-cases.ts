import { acceptsBodyIn, type ConformanceCase, faultIfBroken } from "./conformance-case.ts";
import { bodyOf, commentChange, envelope, messageBody, messageItem, write } from "./deliveries.ts";
import { changesEntry, messagingEntry } from "./payloads.ts";

const seen = "Seen in Meta's deliveries.";
const signed = "The signature is valid. Unless the receiver keeps what it cannot read, Meta repeats it for hours.";
const header = "The signature covers only the body, so a header that a proxy has rewritten does not make it forged.";

const body = acceptsBodyIn("encoding");

/** The same content in other bytes, each body signed as it is sent. */
export const encodingCases: ConformanceCase[] = [
  body("escaped-unicode", "must", "escapes for all characters beyond ASCII, surrogate pairs included", seen, (nowMs) =>
    textBody(nowMs, "caf\\u00e9 \\ud83d\\ude80 \\u05e9\\u05dc\\u05d5\\u05dd"),
  ),
  body("escaped-slashes", "must", "\\/ for a slash", seen, (nowMs) => textBody(nowMs, "https:\\/\\/example.com\\/a")),
  body("spaces", "must", "a space after each comma and colon", "Seen in comments; messages have none.", (nowMs) =>
    write(envelope(changesEntry(nowMs, commentChange())), { separators: "spaced" }),
  ),
  body("raw-utf8", "must", "characters beyond ASCII without escapes", "JSON is UTF-8; escapes are optional.", (nowMs) =>
    write(envelope(messagingEntry(nowMs, messageItem(nowMs))), { unicode: "raw" }),
  ),
  body("lone-surrogate", "must", "half of a surrogate pair", "A text that is cut within an emoji has one.", (nowMs) =>
    textBody(nowMs, "cut \\ud83d"),
  ),
  body("nul", "must", "an escaped NUL", "It is valid JSON, and databases refuse it.", (nowMs) =>
    textBody(nowMs, "a\\u0000b"),
  ),
  body("big-integers", "must", "integers beyond 2^53", "Meta's pages show ids without quotes.", (nowMs) =>
    beforeTimestamp(nowMs, '"ad_id":120200000000000001,'),
  ),
  body("odd-keys", "should", "repeated keys and __proto__", signed, (nowMs) =>
    beforeTimestamp(nowMs, '"__proto__":{"a":1},"constructor":1,"timestamp":1,'),
  ),
  body(
    "indented",
    "should",
    "JSON over several lines",
    "It is the same JSON.",
    (nowMs) => `${JSON.stringify(envelope(messagingEntry(nowMs, messageItem(nowMs))), null, 2)}\n`,
  ),
  body("bom", "should", "a byte order mark at the start", signed, (nowMs) => `\ufeff${messageBody(nowMs)}`),
  body("deep", "should", "two hundred levels of nesting", signed, (nowMs) =>
    beforeTimestamp(nowMs, `"deep":${"[".repeat(200)}${"]".repeat(200)},`),
  ),
  body("invalid-utf8", "should", "bytes that are not UTF-8", signed, (nowMs) =>
    Buffer.concat([
      Buffer.from(messageBody(nowMs).slice(0, -1)),
      Buffer.from(',"x":"'),
      Buffer.from([0xff, 0xfe]),
      Buffer.from('"}'),
    ]),
  ),
  body("not-json", "should", "a signed body that is not JSON", signed, (nowMs) => `signed at ${nowMs}, but no JSON`),
  {
    id: "encoding.empty",
    level: "should",
    checks: "a signed empty body causes no error",
    why: "Health checks and misconfigured proxies send empty bodies.",
    run: async (receiver) => faultIfBroken(await receiver.deliver({ body: "" })),
  },
  contentType("charset", "Content-Type with a charset", "application/json; charset=utf-8"),
  contentType("other-type", "Content-Type: text/plain", "text/plain"),
  contentType("no-type", "no Content-Type", null),
  body(
    "chunked",
    "must",
    "a chunked body without an announced length",
    "Every HTTP/1.1 server must accept it (RFC 9112, 7.1), and proxies pass bodies on in this form.",
    messageBody,
    { isChunked: true, pieces: 7 },
  ),
  body(
    "expect",
    "should",
    "Expect: 100-continue",
    "Common HTTP clients ask for permission before they send a large body.",
    messageBody,
    { headers: { Expect: "100-continue" } },
  ),
];

function contentType(name: string, what: string, value: string | null): ConformanceCase {
  return body(name, "should", what, header, messageBody, { headers: { "Content-Type": value } });
}

/** A message whose text appears in the JSON exactly as given. */
function textBody(nowMs: number, written: string): string {
  return bodyOf(messagingEntry(nowMs, messageItem(nowMs, { text: "TEXT" }))).replace("TEXT", () => written);
}

/** A message with this JSON before its item's timestamp. */
function beforeTimestamp(nowMs: number, json: string): string {
  return messageBody(nowMs).replace(/"timestamp":/, () => `${json}"timestamp":`);
}
