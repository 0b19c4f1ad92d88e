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

/** The files that decide something all the same: what they use for it, and what for. What is not used any more has to go. */
const exceptions: Record<string, readonly [uses: string, because: string]> = {
  "app/api/diagnostics/network/route.ts": ["Math map", "reads the latest migration from a JSON file of its own"],
  "app/api/qstash/qstash.ts": ["map", "makes the route's address for each URL of the relay"],
  "app/dashboard/deliveries/[deliveryId]/page.tsx": ["=== ?? flat if instanceof", "chooses what the page shows"],
  "app/dashboard/diagnostics/page.tsx": ["=== ? ?? flat if instanceof", "chooses the experiment that the page shows"],
  "app/dashboard/page.tsx": ["if instanceof", "chooses what the page shows"],
  "app/dashboard/signed-in.ts": ["=== >= ?? if try ||", "chooses between page and sign-in, and logs what failed"],
  "app/layout.tsx": ["??", "a page that proxy.ts did not see has no nonce"],
  "app/ops-access.ts": ["try", "reads the addresses, which need not be set to sign in"],
  "app/services.ts": ["=== if", "opens the connections on first use, with two variables"],
  "app/tracing.ts": ["!== === try ||", "starts without traces when the configuration has gaps"],
};

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

test("no file under app decides anything, but for those that are listed with a reason", () => {
  const found = files.map((file) => [file, decisionsIn(file).join(" ")] as const).filter(([, uses]) => uses !== "");
  const listed = Object.entries(exceptions).map(([file, [uses]]) => [file, uses] as const);
  expect(Object.fromEntries(found)).toEqual(Object.fromEntries(listed));
});

test("a route file has at most 30 lines", () => {
  const long = files.filter(
    (file) => file.endsWith("/route.ts") && readFileSync(join(root, file), "utf8").split("\n").length > 30,
  );
  expect(long).toEqual([]);
});
