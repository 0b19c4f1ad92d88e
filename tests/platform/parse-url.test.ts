import { expect, test } from "vitest";

import { parseUrl } from "#platform/parse-url.ts";

test("reads an address, alone and from where it stands; what is no address is null", () => {
  expect(parseUrl("https://relay.example/a?b=c")?.pathname).toBe("/a");
  expect(parseUrl("../c", "https://relay.example/a/b")?.href).toBe("https://relay.example/c");
  for (const text of ["", "nonsense", "https://", "https://a b.example"]) expect(parseUrl(text)).toBeNull();
});

test("a host beyond ASCII is read however often addresses were read before", () => {
  // The compiled form of `URL.canParse` in Node 20 and 22 refuses it after some thousand calls.
  const refused = Array.from({ length: 20_000 }, () => parseUrl("https://b\u00fccher.example")).filter(
    (url) => url?.host !== "xn--bcher-kva.example",
  );
  expect(refused).toEqual([]);
});
