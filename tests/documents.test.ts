/** What the documents name exists. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { expect, test } from "vitest";

import { allCases } from "#conformance/all-cases.ts";
import { readEnv, readPathEnv } from "#platform/env.ts";

import { thrownBy } from "./support/thrown-by.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const documents = [
  "README.md",
  ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => join("docs", name)),
];

function textsIn(document: string, pattern: RegExp): string[] {
  return [...readFileSync(join(root, document), "utf8").matchAll(pattern)].map(([, text = ""]) => text);
}

test.each(documents)("%s links to files that exist", (document) => {
  const links = textsIn(document, /\]\(([^)#:]+)(?:#[^)]*)?\)/g);
  expect(links.filter((link) => !existsSync(join(root, dirname(document), link)))).toEqual([]);
});

/** As GitHub makes them of headings. */
const anchorsOf = (document: string) =>
  new Set(
    textsIn(document, /^#+ (.+)$/gm).map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );

test.each(documents)("%s links to headings that exist", (document) => {
  const links = [...readFileSync(join(root, document), "utf8").matchAll(/\]\(([^)#:]*)#([^)]+)\)/g)];
  const missing = links.filter(([, file = "", anchor = ""]) => {
    const target = file === "" ? document : join(dirname(document), file);
    return target.endsWith(".md") && !anchorsOf(target).has(anchor);
  });
  expect(missing.map(([link]) => link)).toEqual([]);
});

test.each(documents)("%s names files and folders that exist", (document) => {
  const paths = textsIn(document, /`((?:src|tests|app|docs)\/[\w./[\]-]+)`/g);
  expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});

test.each(["README.md", "docs/COMPARISON.md"])("%s has the number of the conformance cases", (document) => {
  const numbers = textsIn(document, /(\d+)\s+(?:conformance )?cases/g);
  expect(numbers.length).toBeGreaterThan(1);
  expect(new Set(numbers.map(Number))).toEqual(new Set([allCases.length]));
});

test("the Deploy button asks for every variable that neither an integration nor Vercel sets", () => {
  const [address = ""] =
    /^https:\/\/vercel\.com\/new\/clone\?\S+$/m.exec(readFileSync(join(root, "docs/DEPLOY.md"), "utf8")) ?? [];
  const parameters = new URL(address).searchParams;
  const asked = (parameters.get("env") ?? "").split(",");
  const stores = JSON.parse(parameters.get("stores") ?? "") as { productSlug: string }[];
  expect(stores.map(({ productSlug }) => productSlug)).toEqual(["upstash-qstash", "neon"]);
  const bySomethingElse = /^(QSTASH_|DATABASE_URL|RELAY_URL)/;
  const gaps = [thrownBy(() => readPathEnv({}, "qstash")), thrownBy(() => readEnv({}, ["OPS_TOKEN"]))].join();
  const needed = (gaps.match(/[A-Z_]+(?= is not set)/g) ?? []).filter((name) => !bySomethingElse.test(name));
  // Optional, but Vercel's cron needs it.
  expect(asked.toSorted()).toEqual([...needed, "CRON_SECRET"].toSorted());
});
