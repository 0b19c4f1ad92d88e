/**
 * Why a delivery's signature does not match, for the person who has the body before them. Not for the 401: it tries
 * up to some thousand rewritings of the whole body, and whoever forges deliveries would decide how often.
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

/** Names neither a secret nor the signature that would have been right. */
export interface SignatureExplanation {
  finding: SignatureFinding;
  /** Which of the secrets explains it, counted from 0; null if none does. */
  secretIndex: number | null;
  /** What is the case. */
  sentence: string;
  /** What to do; null for a match. */
  remedy: string | null;
}

export interface ExplainOptions {
  /** As they are configured: white space around one is a finding. */
  secrets: readonly string[];
  /** What the delivery's `Content-Length` said, if it is known. */
  announcedBytes?: number | null;
}

/** `body`: the bytes as they were received; `header`: the value of `X-Hub-Signature-256`. One cause at a time is tried. */
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
  // HMAC pads its key with zeros, so this is the empty key, which WebCrypto does not take (RFC 2104).
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
    "Meta signs every delivery: this one is not from Meta, or something in front dropped the header.",
  ],
  duplicated: [
    "There is more than one X-Hub-Signature-256.",
    "Meta sends one: find what in front adds its own, or who tries two.",
  ],
  sha1: ["This is a SHA-1 signature.", "X-Hub-Signature is the older header: take the value of X-Hub-Signature-256."],
  prefix: ["The signature does not begin with sha256=.", "Pass the header's value on whole, with its prefix."],
  length: [
    "After sha256= there are not 64 digits.",
    "The value was cut or something was added to it: compare how the header is copied or logged.",
  ],
  "not-hex": ["After sha256= there is something other than hex digits.", "The signature is hex, not base64."],
  "empty-secret": [
    "It was signed with an empty secret.",
    "Whoever signed had no secret set. Meta never does this: look at your test tool, and check that no receiver of yours takes it.",
  ],
  "secret-spacing": [
    "It matches that secret but for white space or quotes around it.",
    "Set the secret without them: they come with copying, with echo and with env files.",
  ],
  "empty-body": [
    "The body is empty, and it was not an empty one that was signed.",
    "Something read the body first, a parser or middleware: check the raw bytes before anything else.",
  ],
  "line-end": [
    "It matches but for a line end after the body.",
    "An editor, echo or a template added or dropped it: keep the bytes as they came.",
  ],
  bom: ["It matches but for a byte order mark at the start.", "Keep the bytes as they came: decoders drop the mark."],
  recoded: [
    "It matches once the body's UTF-8 is undone: it was taken for Latin-1 and encoded again.",
    "Read the body as bytes, not as text in an assumed encoding.",
  ],
  rewritten: [
    "It matches the same JSON written in another way",
    "Something parsed the body and wrote it anew: check the signature over the raw bytes, before JSON is parsed.",
  ],
  "longer-body": [
    "It matches only the beginning of this body",
    "Whoever signed saw no more than that, or bytes were added afterwards: look for a limit on the signing side.",
  ],
  truncated: [
    "The body breaks off: what was signed was longer.",
    "Raise the limit on bodies in front of the check (Meta's may be megabytes) or save the delivery anew, whole.",
  ],
  "wrong-secret": [
    "No given secret signed this body, nor a form of it that we know.",
    "Instagram Login signs with the Instagram app secret, Facebook Login with the Meta app secret: try the other, and each app you have. Else the body was changed.",
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

/** What keeps a header from being `sha256=` and 64 hex digits. */
function formFault(header: string): keyof typeof findings {
  if (header.includes(",")) return "duplicated";
  if (/^sha1=/i.test(header)) return "sha1";
  if (!/^sha256=/i.test(header)) return "prefix";
  const digits = header.slice("sha256=".length);
  return /^[0-9a-f]*$/i.test(digits) ? "length" : "not-hex";
}

/** A secret as others may have read it: with what was pasted around it, and without. */
function secretVariants({ text, index }: { text: string; index: number }): { text: string; index: number }[] {
  const bare = text.trim().replace(/^(["'])(.*)\1$/s, "$2");
  const variants = [text.trim(), bare, `${bare}\n`, `${bare}\r\n`, `${bare} `, ` ${bare}`, `"${bare}"`, `'${bare}'`];
  return variants.filter((variant) => variant !== "" && variant !== text).map((variant) => ({ text: variant, index }));
}
