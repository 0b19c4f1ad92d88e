import { expect, test } from "vitest";

import { isCrossSite } from "#dashboard/access/cross-site.ts";

const relayUrls = ["http://relay.example", "https://old.example/relay"];

test.each<[boolean, Record<string, string>]>([
  [false, {}],
  [false, { "sec-fetch-site": "same-origin" }],
  [false, { "sec-fetch-site": "none" }],
  [true, { "sec-fetch-site": "same-site" }],
  [true, { "sec-fetch-site": "cross-site" }],
  [false, { origin: "http://localhost:3000", host: "localhost:3000" }],
  [true, { origin: "http://localhost:3001", host: "localhost:3000" }],
  [true, { origin: "null", host: "localhost:3000" }],
  // A proxy that sends its own name for us as Host.
  [false, { origin: "http://relay.example", host: "127.0.0.1:3000" }],
  [false, { origin: "https://old.example", host: "127.0.0.1:3000" }],
  [true, { origin: "https://relay.example", host: "127.0.0.1:3000" }],
  [true, { origin: "http://evil.example", host: "127.0.0.1:3000" }],
  // Of a list the first is what the client asked for.
  [false, { origin: "http://a.example", host: "b", "x-forwarded-host": "a.example, inner.example" }],
  [true, { origin: "http://inner.example", host: "b", "x-forwarded-host": "a.example, inner.example" }],
  // The port of the protocol written out.
  [false, { origin: "https://a.example", host: "a.example:443" }],
  [true, { origin: "https://a.example", host: "a.example:80" }],
])("%j for %j", (expected, headers) => {
  expect(isCrossSite(new Request("http://localhost/x", { method: "POST", headers }), relayUrls)).toBe(expected);
});
