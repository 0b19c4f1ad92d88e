/** Nothing under `app/` decides anything: it builds adapters and hands them to `src`, where decisions have tests. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { transformSync } from "esbuild";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

/** What wiring does without. Of the operators only `??=` is left, which opens something on first use. */
const decisions = [
  /\b(if|for|while|do|switch|try|instanceof)\b/g,
  /\.(filter|map|flatMap|reduce|find|some|every|flat|sort|toSorted|slice|split|includes|startsWith|endsWith)\(/g,
  / (\?|&&|\|\||\?\?|===|!==|==|!=|<|>|<=|>=|\+|-|\*|\/|%) /g,
  /\b(Math)\.(?!random\b)/g,
];

/** The code without types, comments and the text of strings; JSX is calls in it. */
function codeOf(file: string): string {
  const { code } = transformSync(readFileSync(join(root, file), "utf8"), {
    loader: file.endsWith("x") ? "tsx" : "ts",
    jsx: "automatic",
    legalComments: "none",
  });
  return code
    .replaceAll("export * from", "")
    .replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, '""')
    .replace(/`[^`]*`/g, (template) => (template.match(/\$\{[^}]*\}/g) ?? []).join(""));
}

function decisionsIn(file: string): string[] {
  const code = codeOf(file);
  const found = decisions.flatMap((pattern) => [...code.matchAll(pattern)].map(([, name]) => name ?? ""));
  return [...new Set(found)].toSorted();
}

const files = readdirSync(join(root, "app"), { recursive: true, encoding: "utf8" })
  .filter((name) => /\.tsx?$/.test(name))
  .map((name) => join("app", name));

test("no file under app decides anything", () => {
  const found = files.map((file) => [file, decisionsIn(file).join(" ")] as const).filter(([, uses]) => uses !== "");
  expect(Object.fromEntries(found)).toEqual({});
});

test("a route file has at most 30 lines", () => {
  const long = files.filter(
    (file) => file.endsWith("/route.ts") && readFileSync(join(root, file), "utf8").split("\n").length > 30,
  );
  expect(long).toEqual([]);
});
