import { describe, expect, test } from "vitest";

import { explainSignature, type SignatureFinding } from "#diagnostics/explain-signature.ts";
import { signBody } from "#instagram/signature.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const [other, secret] = ["another-secret", "test-app-secret"];
const secrets = [other, secret];
// As Meta writes it.
const text =
  '{"object":"instagram","entry":[{"id":"1","time":1.0,"messaging":[{"message":{"mid":"m1","text":"caf\\u00e9 \\ud83d\\ude80","url":"https:\\/\\/a"}}]}]}';
const body = encode(text);
const digits = (await signBody(secret, body)).slice("sha256=".length);
const big = encode(`{"object":"instagram","entry":["${"x".repeat(150_000)}"]}`);

/** What was signed, in the place of what is at hand. */
const signing = (signed: Uint8Array | string, key = secret) =>
  signBody(key, typeof signed === "string" ? encode(signed) : signed);

describe("a signature that fits", () => {
  test.each(secrets.map((key, index) => [index, key] as const))("names secret %i", async (index, key) => {
    expect(await explainSignature(body, await signing(body, key), { secrets })).toMatchObject({
      finding: "match",
      secretIndex: index,
      remedy: null,
    });
  });

  test("counts an empty secret, and never uses it", async () => {
    const explained = await explainSignature(body, await signing(body), { secrets: ["", secret] });
    expect(explained).toMatchObject({ finding: "match", secretIndex: 1 });
  });
});

describe("a header of the wrong form", () => {
  test.each<[string, string | null, SignatureFinding]>([
    ["none", null, "missing"],
    ["empty", "", "missing"],
    ["sent twice", `sha256=${digits}, sha256=${digits}`, "duplicated"],
    ["SHA-1", `sha1=${"a".repeat(40)}`, "sha1"],
    ["without its prefix", digits, "prefix"],
    ["with another prefix", `sha512=${digits}`, "prefix"],
    ["a digit short", `sha256=${digits.slice(1)}`, "length"],
    ["a digit long", `sha256=${digits}0`, "length"],
    ["nothing but the prefix", "sha256=", "length"],
    ["base64", `sha256=${btoa(digits)}`, "not-hex"],
  ])("%s", async (_name, header, finding) => {
    expect(await explainSignature(body, header, { secrets })).toMatchObject({ finding, secretIndex: null });
  });
});

describe("a signature over something else", () => {
  const reserialised = JSON.stringify({ ...(JSON.parse(text.replace("1.0", "1")) as object) });

  test.each<[string, Uint8Array | string, Uint8Array | string, SignatureFinding]>([
    ["parsed and written again on the way", reserialised, text.replace("1.0", "1"), "rewritten"],
    ["signed after it was written again", text.replace("1.0", "1"), reserialised, "rewritten"],
    ["slashes without their backslash", text.replaceAll("\\/", "/"), text, "rewritten"],
    ["escapes in upper case", text, text.replace("\\u00e9", "\\u00E9"), "wrong-secret"],
    [
      "all escapes in upper case",
      text,
      text.replaceAll(/u[0-9a-f]{4}/g, (u) => `u${u.slice(1).toUpperCase()}`),
      "rewritten",
    ],
    ["characters for escapes", text, text.replace("\\u00e9", "é").replace("\\ud83d\\ude80", "🚀"), "rewritten"],
    ["separators with spaces", text, text.replaceAll(/(?<=")[,:]|,(?=")/g, "$& "), "rewritten"],
    ["a line end added", `${text}\n`, text, "line-end"],
    ["a line end added on Windows", `${text}\r\n`, text, "line-end"],
    ["a line end dropped", text, `${text}\n`, "line-end"],
    ["a byte order mark dropped", text, `\ufeff${text}`, "bom"],
    ["a byte order mark added", `\ufeff${text}`, text, "bom"],
    ["taken for Latin-1", encode('{"text":"cafÃ©"}'), encode('{"text":"café"}'), "recoded"],
    ["signed up to a limit", big, big.subarray(0, 102_400), "longer-body"],
    ["cut in the middle of the JSON", body.subarray(0, 60), body, "truncated"],
    ["cut at a known limit", encode(`"${"x".repeat(102_399)}`), big, "truncated"],
    ["read by something else before", "", body, "empty-body"],
    ["another one", text, text.replace("m1", "m2"), "wrong-secret"],
    ["another one that is not JSON", "plain words", text, "wrong-secret"],
  ])("%s", async (_name, received, signed, finding) => {
    const bytes = typeof received === "string" ? encode(received) : received;
    const explained = await explainSignature(bytes, await signing(signed), { secrets });
    const isProven = !["truncated", "empty-body", "wrong-secret"].includes(finding);
    expect(explained).toMatchObject({ finding, secretIndex: isProven ? 1 : null });
    expect(explained.remedy).toMatch(/\.$/);
  });

  test("names the style of the signed JSON", async () => {
    const explained = await explainSignature(encode(reserialised), await signing(text.replace("1.0", "1")), {
      secrets,
    });
    expect(explained.sentence).toContain("no spaces, \\/ for slashes, \\u00e9 beyond ASCII. The key is secret 2.");
  });

  test("takes the announced length into account", async () => {
    const whole = encode('["a","b"]');
    const short = encode('["a"]');
    expect((await explainSignature(short, await signing(whole), { secrets, announcedBytes: 9 })).finding).toBe(
      "truncated",
    );
    const longer = await explainSignature(encode('["a"] and more'), await signing(short), {
      secrets,
      announcedBytes: 5,
    });
    expect(longer).toMatchObject({ finding: "longer-body", secretIndex: 1 });
  });
});

describe("a signature over the same JSON with more escaped than need be", () => {
  const words = 'ask @our_shop: 50% off <3 & "more" > 1+1=2 it\'s `so` é 🙂 https://shop.example/a\\b';
  const received = JSON.stringify({ id: 1, "key<": words });
  const escape = (written: string, pattern: RegExp, upper = false) =>
    written.replaceAll(pattern, (unit) => {
      const hex = unit.charCodeAt(0).toString(16).padStart(4, "0");
      return `\\u${upper ? hex.toUpperCase() : hex}`;
    });
  const unicode = (written: string) => escape(written, /[\u0080-\uffff]/g).replaceAll("/", "\\/");
  const quotes = (written: string) => written.replaceAll('\\"', "\\u0022");

  test.each<[string, string]>([
    ["Meta", unicode(escape(received, /[@%<]/g, true))],
    ["Meta, with one of them", unicode(escape(received, /%/g, true))],
    ["Meta, in lower case", unicode(escape(received, /[@%<]/g))],
    ["Meta, with slashes as they are", escape(escape(received, /[@%<]/g, true), /[\u0080-\uffff]/g)],
    ["PHP with JSON_HEX_TAG", unicode(escape(received, /[<>]/g, true))],
    ["PHP with JSON_HEX_AMP and JSON_HEX_APOS", unicode(escape(received, /[&']/g, true))],
    ["PHP with every JSON_HEX", unicode(quotes(escape(received, /[<>&']/g, true)))],
    ["PHP with JSON_HEX_QUOT and JSON_UNESCAPED_UNICODE", quotes(received).replaceAll("/", "\\/")],
    ["Go", escape(received, /[<>&]/g)],
    ["Gson", escape(received, /[<>&'=]/g)],
    ["System.Text.Json", quotes(escape(escape(received, /[<>&'+`]/g, true), /[\u0080-\uffff]/g, true))],
    ["Python", escape(received, /[\u0080-\uffff]/g).replaceAll(/(?<=["\d])[,:](?=["\d])/g, "$& ")],
    ["Python, with DEL", escape(received, /[\u007f-\uffff]/g)],
    ["a writer that mixes them", unicode(escape(received, /[@&'=]/g))],
  ])("as %s writes it is found, both ways", async (_name, signed) => {
    expect(JSON.parse(signed)).toEqual(JSON.parse(received));
    const explained = await explainSignature(encode(received), await signing(signed), { secrets });
    expect(explained).toMatchObject({ finding: "rewritten", secretIndex: 1 });
    const reverse = await explainSignature(encode(signed), await signing(received), { secrets });
    expect(reverse).toMatchObject({ finding: "rewritten", secretIndex: 1 });
  });

  test("names the escaped characters", async () => {
    const signed = unicode(escape(received, /[@%<]/g, true));
    const { sentence } = await explainSignature(encode(received), await signing(signed), { secrets });
    expect(sentence).toContain("\\u0040 for @, \\u0025 for %, \\u003C for <");
  });

  test("of another body takes seconds at most, with every such character in it", async () => {
    const large = encode(JSON.stringify(Array.from({ length: 2_000 }, () => words)));
    expect((await explainSignature(large, await signing("{}"), { secrets })).finding).toBe("wrong-secret");
    expect((await explainSignature(encode(received), await signing("{}"), { secrets })).finding).toBe("wrong-secret");
  });
});

describe("a secret that is almost right", () => {
  test.each([
    ["configured with a space", ` ${secret}`, secret],
    ["configured with its line end", `${secret}\n`, secret],
    ["configured in quotes", `"${secret}"`, secret],
    ["signed with a line end", secret, `${secret}\n`],
    ["signed with quotes", secret, `'${secret}'`],
  ])("%s", async (_name, configured, key) => {
    const explained = await explainSignature(body, await signing(body, key), { secrets: [other, configured] });
    expect(explained).toMatchObject({ finding: "secret-spacing", secretIndex: 1 });
  });

  test("none at all", async () => {
    // HMAC fills a key up with zeros: this is the empty one.
    expect(await explainSignature(body, await signing(body, "\0"), { secrets })).toMatchObject({
      finding: "empty-secret",
      secretIndex: null,
    });
  });

  test("of another app", async () => {
    expect((await explainSignature(body, await signing(body, "unknown"), { secrets })).finding).toBe("wrong-secret");
  });
});

test("neither a secret nor any signature is shown", async () => {
  const headers = [
    null,
    digits,
    `sha256=${digits}0`,
    await signing(`${text}\n`),
    await signing(body, "x"),
    await signing(body, `${secret} `),
  ];
  for (const header of headers) {
    const said = JSON.stringify(await explainSignature(body, header, { secrets }));
    for (const hidden of [...secrets, digits, header?.slice(-64) || digits]) expect(said).not.toContain(hidden);
  }
});

test("a megabyte takes seconds at most", async () => {
  const items = Array.from({ length: 10_000 }, (_, index) => ({ mid: `m${index}`, text: "a/é".repeat(20) }));
  const large = encode(JSON.stringify({ object: "instagram", entry: items }));
  expect((await explainSignature(large, await signing("{}"), { secrets })).finding).toBe("wrong-secret");
});
