import { expect, test } from "vitest";
import * as v from "valibot";

import { readRequest } from "#operations/read-request.ts";
import { systemClock } from "#platform/clock.ts";

const schema = v.strictObject({ ids: v.array(v.number()), reason: v.string() });

function read(body: unknown) {
  const request = new Request("http://relay/", { method: "POST", body: JSON.stringify(body) });
  return readRequest(request, schema, systemClock);
}

test("what is wrong is named, however much it is, in a short answer", async () => {
  await expect(read({ ids: ["a"] })).rejects.toMatchObject({
    code: "REQUEST_INVALID",
    message: "ids.0 must be number; reason is missing",
  });
  const ids = Array.from({ length: 5_000 }, () => ({}));
  const many = await read({ ids, reason: "x", ["y".repeat(50_000)]: 1 }).catch((thrown: Error) => thrown.message);
  expect(many).toMatch(/; ids\.19 must be number; and 4981 more$/);
  const long = await read({ ids: [], reason: "x", ["y".repeat(50_000)]: 1 }).catch((thrown: Error) => thrown.message);
  expect(long).toBe(`${"y".repeat(100)} is not known`);
});
