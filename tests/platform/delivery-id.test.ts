import * as fc from "fast-check";
import { expect, test } from "vitest";

import { createDeliveryId } from "#platform/delivery-id.ts";

test("a delivery's id is a UUID of version 7, with its time and the random bits of another UUID", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 48 - 1 }), fc.uuid({ version: 4 }), (receivedAtMs, random) => {
      const id = createDeliveryId(receivedAtMs, random);
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(Number.parseInt(id.slice(0, 13).replace("-", ""), 16)).toBe(receivedAtMs);
      expect(id.slice(15)).toBe(random.slice(15));
    }),
  );
});

test("ids are in the order of their times", () => {
  const random = "a3bb189e-8bf9-4c4b-9c1e-6d9f4a1c2d3e";
  const times = [1, 1_700_000_000_000, 1_700_000_000_001, 17_592_186_044_416, 2 ** 48 - 1];
  const ids = times.map((time) => createDeliveryId(time, random));
  expect(ids.toSorted()).toEqual(ids);
});
