import { describe, expect, test } from "vitest";

import { type JsonStyle, rewriteJson } from "#diagnostics/rewrite-json.ts";

const meta: JsonStyle = { separators: "compact", slashes: "escaped", unicode: "lower" };
const plain: JsonStyle = { separators: "compact", slashes: "plain", unicode: "raw" };

describe("rewriteJson()", () => {
  test.each<[string, string, JsonStyle, string]>([
    ["as Meta does", '{ "a": "é/🚀" }', meta, '{"a":"\\u00e9\\/\\ud83d\\ude80"}'],
    ["as JSON.stringify does", '{"a":"\\u00e9\\/\\ud83d\\ude80"}', plain, '{"a":"é/🚀"}'],
    ["with escapes in upper case", '"é"', { ...meta, unicode: "upper" }, '"\\u00E9"'],
    ["with spaces", '{"a":[1,2],"b:,":{}}', { ...plain, separators: "spaced" }, '{"a": [1, 2], "b:,": {}}'],
    [
      "keeping digits, order and repeated keys",
      '{"b":1.0,"a":12345678901234567890,"b":1e2}',
      plain,
      '{"b":1.0,"a":12345678901234567890,"b":1e2}',
    ],
    ["keeping half a pair and control characters", '"\\ud83d\\u0000\\n\\"\\\\"', plain, '"\\ud83d\\u0000\\n\\"\\\\"'],
    [
      "with escapes for ASCII, also for a quotation mark after a backslash",
      '"<\\\\\\"@"',
      {
        ...plain,
        ascii: new Map([
          ["<", "\\u003C"],
          ['"', "\\u0022"],
        ]),
      },
      '"\\u003C\\\\\\u0022@"',
    ],
    ["keys too", '{"é":1}', meta, '{"\\u00e9":1}'],
    ["a value by itself", " 1 ", plain, "1"],
  ])("writes %s", (_name, text, style, expected) => {
    expect(rewriteJson(text, style)).toBe(expected);
  });

  test("throws for a text that is not JSON", () => {
    expect(() => rewriteJson('{"a":', meta)).toThrow(SyntaxError);
  });

  test("rewrites a string of megabytes", () => {
    const text = JSON.stringify("\\".repeat(2_000_000));
    expect(rewriteJson(text, plain)).toBe(text);
  });
});
