import { expect, test } from "vitest";

import {
  base64FromBytes,
  bytesFromBase64,
  bytesFromHex,
  equalInConstantTime,
  hexFromBytes,
  sha256Hex,
} from "#platform/bytes.ts";

const bytes = Uint8Array.from({ length: 100_000 }, (_, index) => index % 256);

test("bytes survive base64 and hex", () => {
  expect(bytesFromBase64(base64FromBytes(bytes))).toEqual(bytes);
  expect(bytesFromHex(hexFromBytes(bytes))).toEqual(bytes);
  expect(base64FromBytes(new Uint8Array(0))).toBe("");
});

test("sha256Hex() gives the known answer", async () => {
  expect(await sha256Hex("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
});

test.each([
  ["same", "same", true],
  ["same", "sama", false],
  ["same", "same ", false],
  ["", "same", false],
])("equalInConstantTime(%j, %j) is %s", async (received, expected, result) => {
  expect(await equalInConstantTime(received, expected)).toBe(result);
});
