/**
 * Explains to an operator why the signature of a delivery does not match. The webhook's 401 does not use it: it tries up to
 * several thousand rewritten bodies, and the sender of forged deliveries would decide how often.
 */
import { createSignatureVerifier, isSignature } from "#instagram/signature.ts";
import { isCut, signedForms } from "./signed-forms.ts";

export type SignatureFinding =
  | "match"
  | "missing"
  | "duplicated"
  | "sha1"
  | "prefix"
  | "length"
  | "not-hex"
  | "empty-secret"
  | "secret-spacing"
  | "empty-body"
  | "line-end"
  | "bom"
  | "recoded"
  | "rewritten"
  | "longer-body"
  | "truncated"
  | "wrong-secret";

/** The explanation; it contains neither a secret nor the valid signature. */
export interface SignatureExplanation {
  finding: SignatureFinding;
  /** Which of the secrets explains it, counted from 0; null if none does. */
  secretIndex: number | null;
  /** The finding in words. */
  sentence: string;
  /** What to do; null for a match. */
  remedy: string | null;
}

export interface ExplainOptions {
  /** As they are configured; white space around a secret is a finding. */
  secrets: readonly string[];
  /** The `Content-Length` of the delivery, if it is known. */
  announcedBytes?: number | null;
}

/** `body` is the bytes as they were received, `header` the value of `X-Hub-Signature-256`. Finds one cause, not two at once. */
export async function explainSignature(
  body: Uint8Array,
  header: string | null,
  { secrets, announcedBytes = null }: ExplainOptions,
): Promise<SignatureExplanation> {
  const known = secrets.flatMap((text, index) => (text === "" ? [] : [{ text, index }]));
  const verifier = createSignatureVerifier(known.map(({ text }) => text));
  const signer = await verifier.verify(body, header);
  if (signer !== null) {
    const secretIndex = known[signer]?.index ?? 0;
    return {
      finding: "match",
      secretIndex,
      sentence: `It matches: secret ${secretIndex + 1} signed it.`,
      remedy: null,
    };
  }
  if (!header) return without("missing");
  if (!isSignature(header)) return without(formFault(header));

  for (const { index, text } of known.flatMap(secretVariants)) {
    const variant = createSignatureVerifier([text]);
    if ((await variant.verify(body, header)) !== null) return explain("secret-spacing", index);
  }
  // WebCrypto refuses an empty key. HMAC pads a key with zeros, so "\0" gives the same signature (RFC 2104).
  if ((await createSignatureVerifier(["\0"]).verify(body, header)) !== null) return without("empty-secret");
  for (const { difference, bytes, detail } of signedForms(body, announcedBytes)) {
    const found = await verifier.verify(bytes, header);
    if (found !== null) return explain(difference, known[found]?.index ?? null, detail);
  }
  if (body.byteLength === 0) return without("empty-body");
  return without(isCut(body, announcedBytes) ? "truncated" : "wrong-secret");
}

const findings: Record<Exclude<SignatureFinding, "match">, readonly [sentence: string, remedy: string]> = {
  missing: [
    "There is no X-Hub-Signature-256.",
    "Meta signs every delivery: this one is not from Meta, or a proxy removed the header.",
  ],
  duplicated: [
    "There is more than one X-Hub-Signature-256.",
    "Meta sends one: find the proxy that adds another, or the sender that tries two.",
  ],
  sha1: ["This is a SHA-1 signature.", "X-Hub-Signature is the older header: take the value of X-Hub-Signature-256."],
  prefix: ["The signature does not begin with sha256=.", "Pass on the whole value of the header, with its prefix."],
  length: [
    "There are not 64 digits after sha256=.",
    "The value was cut, or something was added to it: check how the header is copied or logged.",
  ],
  "not-hex": ["There are other characters than hex digits after sha256=.", "The signature is hex, not base64."],
  "empty-secret": [
    "It was signed with an empty secret.",
    "The signer had no secret set, which Meta never has: check your test tool, and check that none of your receivers accepts such a signature.",
  ],
  "secret-spacing": [
    "It matches that secret except for white space or quotes around it.",
    "Set the secret without them: copying, echo and .env files add them.",
  ],
  "empty-body": [
    "The body is empty, and the signed body was not.",
    "A parser or middleware read the body before: verify the raw bytes first.",
  ],
  "line-end": [
    "It matches except for a line end after the body.",
    "An editor, echo or a template added or removed it: keep the bytes as they were received.",
  ],
  bom: [
    "It matches except for a byte order mark at the start.",
    "Keep the bytes as they were received: decoders remove the mark.",
  ],
  recoded: [
    "It matches once an encoding is undone: the UTF-8 of the body was read as Latin-1 and encoded again.",
    "Read the body as bytes, not as text in an assumed encoding.",
  ],
  rewritten: [
    "It matches the same JSON written in another way",
    "The body was parsed and written again: verify the signature over the raw bytes, before JSON is parsed.",
  ],
  "longer-body": [
    "It matches only the beginning of this body",
    "The signer had only that part, or bytes were added afterwards: look for a size limit at the signer.",
  ],
  truncated: [
    "The body breaks off: the signed body was longer.",
    "Raise the size limit before the verification (Meta's bodies may be megabytes), or save the whole delivery again.",
  ],
  "wrong-secret": [
    "None of the given secrets signed this body or a known form of it.",
    "Instagram Login signs with the Instagram app secret, Facebook Login with the Meta app secret: try the other one, and those of your other apps. Otherwise the body was changed.",
  ],
};

function explain(finding: keyof typeof findings, secretIndex: number | null, detail?: string): SignatureExplanation {
  const [sentence, remedy] = findings[finding];
  const which = secretIndex === null ? "" : ` The key is secret ${secretIndex + 1}.`;
  return { finding, secretIndex, sentence: (detail ? `${sentence}: ${detail}.` : sentence) + which, remedy };
}

function without(finding: keyof typeof findings): SignatureExplanation {
  return explain(finding, null);
}

/** Why a header is not `sha256=` and 64 hex digits. */
function formFault(header: string): keyof typeof findings {
  if (header.includes(",")) return "duplicated";
  if (/^sha1=/i.test(header)) return "sha1";
  if (!/^sha256=/i.test(header)) return "prefix";
  const digits = header.slice("sha256=".length);
  return /^[0-9a-f]*$/i.test(digits) ? "length" : "not-hex";
}

/** A secret as another program may have read it: with and without white space or quotes around it. */
function secretVariants({ text, index }: { text: string; index: number }): { text: string; index: number }[] {
  const bare = text.trim().replace(/^(["'])(.*)\1$/s, "$2");
  const variants = [text.trim(), bare, `${bare}\n`, `${bare}\r\n`, `${bare} `, ` ${bare}`, `"${bare}"`, `'${bare}'`];
  return variants.filter((variant) => variant !== "" && variant !== text).map((variant) => ({ text: variant, index }));
}
