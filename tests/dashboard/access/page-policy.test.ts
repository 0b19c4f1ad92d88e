import { expect, test } from "vitest";

import { carriesOwnPolicy, strictTransport } from "#dashboard/access/page-policy.ts";

test.each([
  ["/dashboard/sign-in", true],
  ["/dashboard/sign-out", true],
  ["/data-deletion/abc", true],
  ["/", false],
  ["/dashboard", false],
  ["/dashboard/sign-in/x", false],
  ["/dashboard/deliveries/sign-in", false],
])("%s carries a policy of its own: %j", (path, expected) => {
  expect(carriesOwnPolicy(path)).toBe(expected);
});

test.each([
  ["https://relay.example", true],
  ["HTTPS://relay.example, http://old.example", true],
  ["http://relay.example, https://old.example", false],
  ["", false],
  [undefined, false],
])("RELAY_URL=%s asks browsers for https: %j", (relayUrl, expected) => {
  expect("strict-transport-security" in strictTransport(relayUrl)).toBe(expected);
});
