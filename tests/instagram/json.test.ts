import { describe, expect, test } from "vitest";

import { canonicalJson, parseLosslessJson } from "#instagram/json.ts";

describe("parseLosslessJson()", () => {
  test.each([
    ['{"id":17841400000000001}', { id: "17841400000000001" }],
    ["[9007199254740991,-9007199254740991]", [9007199254740991, -9007199254740991]],
    ["[9007199254740992,-9007199254740993]", ["9007199254740992", "-9007199254740993"]],
    [
      '{"a":"12345678901234567890","b": 12345678901234567890}',
      { a: "12345678901234567890", b: "12345678901234567890" },
    ],
    [
      '["x, 12345678901234567890 \\" : 12345678901234567890", 12345678901234567890]',
      ['x, 12345678901234567890 " : 12345678901234567890', "12345678901234567890"],
    ],
    ['["\\\\", 12345678901234567890, "\\\\\\""]', ["\\", "12345678901234567890", '\\"']],
    ["[1e400,-1E+400,1e20,1.5e3]", ["1e400", "-1E+400", "1e20", 1500]],
    ["12345678901234567890", "12345678901234567890"],
    ["[1.5,-0.25,1e3,true,null]", [1.5, -0.25, 1000, true, null]],
  ])("keeps every digit of %s", (text, expected) => {
    expect(parseLosslessJson(text)).toEqual(expected);
  });

  test("keeps NUL, lone surrogates and the last of repeated keys", () => {
    expect(parseLosslessJson('["\\u0000","\\ud83d",{"a":1,"a":2}]')).toEqual(["\0", "\ud83d", { a: 2 }]);
  });

  test("takes __proto__ for a key like any other", () => {
    const parsed = parseLosslessJson('{"__proto__":{"x":12345678901234567890}}') as Record<string, unknown>;
    expect(Object.keys(parsed)).toEqual(["__proto__"]);
    expect(parsed["x"]).toBeUndefined();
  });

  test.each([
    ["not JSON", "{nope"],
    ["nested too deep", `${"[".repeat(65)}${"]".repeat(65)}`],
    ["nested without end", "[".repeat(500_000) + "]".repeat(500_000)],
  ])("throws a SyntaxError for what is %s", (_name, text) => {
    expect(() => parseLosslessJson(text)).toThrow(SyntaxError);
  });

  test("a string of megabytes beside a long integer overflows nothing", () => {
    const long = '\\"a'.repeat(700_000);
    expect(parseLosslessJson(`[12345678901234567890,"${long}"]`)).toEqual([
      "12345678901234567890",
      '"a'.repeat(700_000),
    ]);
  });
});

describe("canonicalJson()", () => {
  test("is equal for equal values whatever the order of their keys", () => {
    expect(canonicalJson({ b: [1, { d: 1, c: 2 }], a: "x" })).toBe(canonicalJson({ a: "x", b: [1, { c: 2, d: 1 }] }));
    expect(canonicalJson([1, 2])).not.toBe(canonicalJson([2, 1]));
  });
});
