import { expect, test } from "vitest";

import { compareStructure } from "#dashboard/events/compare-structure.ts";
import { payloadTree, pointersTo, showUnseen, type TreeNode } from "#dashboard/events/payload-tree.ts";

const whole = { at: "", from: 0 };

function childrenOf({ inside }: TreeNode): TreeNode[] {
  return inside?.children ?? [];
}

test("a payload is a tree of its fields, with what would not be seen as escapes", () => {
  const { root, hasLargeIntegers } = payloadTree(
    { id: "17841400000000001234", text: "a\u202eb\u0000\n", ok: [true, null] },
    whole,
  );
  expect(hasLargeIntegers).toBe(true);
  expect(childrenOf(root).map(({ name, text }) => [name, text])).toEqual([
    ["id", '"17841400000000001234"'],
    ["text", '"a\\u202eb\\u0000\\n"'],
    ["ok", null],
  ]);
  expect(payloadTree({ id: "123", phone: "9007199254740991" }, whole).hasLargeIntegers).toBe(false);
});

test("a field's name is shown with what would not be seen as escapes", () => {
  expect(showUnseen("a\u001b[31m\u0007\u202e\n")).toBe("a\\u001b[31m\\u0007\\u202e\\u000a");
});

test("a long array is shown a hundred items at a time, from a place in the address", () => {
  const value = { "a/b": { list: Array.from({ length: 250 }, (_, index) => index) } };
  const [list] = childrenOf(childrenOf(payloadTree(value, whole).root)[0] ?? payloadTree(0, whole).root);
  expect(list).toMatchObject({ pointer: "/a~1b/list", inside: { count: 250, nextFrom: 100 } });
  const { root } = payloadTree(value, { at: "/a~1b/list", from: 200 });
  expect(childrenOf(root)[0]).toMatchObject({ name: "200", text: "200" });
  expect(root.inside?.nextFrom).toBeNull();
  expect(pointersTo("/a~1b/list")).toEqual([
    { name: "a/b", pointer: "/a~1b" },
    { name: "list", pointer: "/a~1b/list" },
  ]);
  expect(payloadTree(value, { at: "/nowhere/toString", from: 0 }).root.pointer).toBe("");
});

test("a payload of megabytes makes a page of two thousand values", () => {
  const value = Array.from({ length: 1_000 }, () => Array.from({ length: 100 }, () => "x".repeat(5_000)));
  const count = (node: TreeNode): number => 1 + childrenOf(node).reduce((total, child) => total + count(child), 0);
  const { root } = payloadTree(value, whole);
  expect(count(root)).toBeLessThanOrEqual(2_000);
  expect(root.inside?.nextFrom).toBeLessThan(100);
});

test("structures are compared by fields and types, and a field inside of a new one is not named again", () => {
  const good = { from: { id: "1" }, items: [{ a: 1 }, { a: 2 }], gone: null };
  const value = { from: { id: 1 }, items: [{ a: 1 }, { a: "2", b: true }], added: { deep: [1] } };
  expect(compareStructure(value, good)).toEqual({
    added: ["items[].b: boolean", "added: object"],
    removed: ["gone: null"],
    changed: [
      { path: "from.id", from: "string", to: "number" },
      { path: "items[].a", from: "number", to: "number or string" },
    ],
  });
  expect(compareStructure(good, good)).toEqual({ added: [], removed: [], changed: [] });
});
