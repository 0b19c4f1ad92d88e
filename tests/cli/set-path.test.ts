import { expect, test } from "vitest";

import { setPath } from "#cli/set-path.ts";

test("--set replaces a value, and a string stays a string", () => {
  const payload = { entry: [{ id: "1", time: 5, messaging: [{ message: { text: "a" } }] }] };
  for (const assignment of [
    "entry.0.id=42",
    "entry.0.time=7",
    "entry.0.messaging.0.message.text=a=b",
    "entry.0.new=[true]",
    "entry.0.none=null",
  ]) {
    setPath(payload, assignment);
  }
  expect(payload).toEqual({
    entry: [{ id: "42", time: 7, messaging: [{ message: { text: "a=b" } }], new: [true], none: null }],
  });
});

test.each(["no-value", "entry.5.id=1", "entry.0.__proto__.x=1", "__proto__=1", "entry.0.id.deeper=1"])(
  "--set %s is refused in one sentence",
  (assignment) => {
    expect(() => setPath({ entry: [{ id: "1" }] }, assignment)).toThrow(/^--set /);
  },
);
