import { expect, test } from "vitest";

import { splitAtStrings } from "#diagnostics/split-at-strings.ts";

test.each([
  ["[1, 2]", ["[1, 2]"]],
  ['{"a":"b"}', ["{", '"a"', ":", '"b"', "}"]],
  ['["\\"", "\\\\"]', ["[", '"\\""', ", ", '"\\\\"', "]"]],
  ['["a', ["[", '"a']],
  ['["a\\"', ["[", '"a\\"']],
  ['["a\\', ["[", '"a\\']],
])("%s is split into what is outside and what is inside of strings", (text, parts) => {
  expect(splitAtStrings(text)).toEqual(parts);
  expect(parts.join("")).toBe(text);
});

test("a string of a megabyte is one part", () => {
  expect(splitAtStrings(`["${"\\n".repeat(500_000)}"]`).map(({ length }) => length)).toEqual([1, 1_000_002, 1]);
});
