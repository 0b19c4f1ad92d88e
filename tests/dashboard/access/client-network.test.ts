import { expect, test } from "vitest";

import { clientNetwork } from "#dashboard/access/client-network.ts";

test.each([
  ["203.0.113.7", "203.0.113.7"],
  // What the client wrote itself comes first.
  ["198.51.100.1, 203.0.113.7", "203.0.113.7"],
  // Our own proxies come last.
  ["198.51.100.1, 203.0.113.7, 10.0.0.5, 127.0.0.1", "203.0.113.7"],
  ["192.168.1.9, 127.0.0.1", "192.168.1.9"],
  ["127.0.0.1", "127.0.0.1"],
  ["::ffff:203.0.113.7", "203.0.113.7"],
  ["2001:DB8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:db8::1, ::1", "2001:db8:0:0::/64"],
  ["203.0.113.7, fd00::1, fe80::1%eth0", "203.0.113.7"],
  ["nonsense, , 999.1.1.1", "unknown"],
])("X-Forwarded-For %j is counted as %s", (forwarded, network) => {
  expect(clientNetwork(new Headers({ "x-forwarded-for": forwarded }))).toBe(network);
});

test("without the header the client is unknown", () => {
  expect(clientNetwork(new Headers())).toBe("unknown");
});
