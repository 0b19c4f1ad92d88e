/** The tarball: what is in it, what it weighs, that its types and the guide's code compile, and that each entry works. */
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";

import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";

import type * as drift from "#receiver/drift.ts";
import type * as explain from "#receiver/explain.ts";
import type * as main from "#receiver/index.ts";

import { packReceiver, type PackedReceiver, root } from "./packed-receiver.ts";

let packed: PackedReceiver;
beforeAll(async () => {
  packed = await packReceiver();
});
afterAll(() => packed.remove());

const read = (...path: string[]) => readFileSync(join(...path), "utf8");

test("it has modules, declarations, licences and a README, and nothing else", () => {
  const others = packed.files.filter((path) => !/^types\/(\w[\w-]*\/)+[\w-]+\.d\.ts$/.test(path));
  const named = others.map((path) => path.replace(/^shared-\w+\.js$/, "shared.js"));
  expect([...new Set(named)].toSorted()).toEqual([
    "LICENSE",
    "LICENSE-valibot.md",
    "README.md",
    "drift.js",
    "explain.js",
    "index.js",
    "package.json",
    "shared.js",
  ]);
  for (const path of packed.files) {
    expect(read(packed.installed, path), path).not.toMatch(
      /process\.env\.(?!INSTAGRAM_)|node:|from "(#|valibot)|\/tmp\//,
    );
  }
});

test("it names no dependency, no script, and the version of the project", () => {
  const manifest = JSON.parse(read(packed.installed, "package.json")) as Record<string, unknown>;
  const { version } = JSON.parse(read(root, "package.json")) as { version: string };
  expect(manifest).toMatchObject({ version, license: "MIT", type: "module", sideEffects: false });
  for (const name of ["dependencies", "peerDependencies", "optionalDependencies", "scripts", "bin", "imports"]) {
    expect(manifest).not.toHaveProperty(name);
  }
});

// Three per cent above what was measured, in bytes minified and compressed; docs/RECEIVER.md names them.
test.each([
  ["index.js", 8_200],
  ["explain.js", 3_800],
  ["drift.js", 5_000],
])("%s weighs little with all that it imports", async (entry, bytesMax) => {
  expect(await weigh(`export * from "./${entry}"`)).toBeLessThan(bytesMax);
});

test("an app that takes one function gets little else", async () => {
  expect(await weigh('export { signBody } from "./index.js"')).toBeLessThan(700);
});

async function weigh(contents: string): Promise<number> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: packed.installed },
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    platform: "neutral",
  });
  return gzipSync(outputFiles[0]?.contents ?? "").byteLength;
}

test("each entry works as it is installed", async () => {
  // CommonJS, too: Node loads modules by `require` from 20.19 on.
  const required = createRequire(join(packed.app, "app.cjs"))("instagram-webhook-receiver") as typeof main;
  expect(required.createReceiver).toBeTypeOf("function");

  const load = async <T>(entry: string) => (await import(pathToFileURL(join(packed.installed, entry)).href)) as T;
  const { parseEvents, signBody } = await load<typeof main>("index.js");
  const body = new TextEncoder().encode(
    '{"object":"instagram","entry":[{"id":"1","changes":[{"field":"mentions","value":{"media_id":true}}]}]}',
  );
  const [event = expect.unreachable()] = await parseEvents(body);
  expect(event).toMatchObject({ kind: "mention", accountId: "1", data: { media_id: true } });

  const { findDrift } = await load<typeof drift>("drift.js");
  expect(findDrift(event)).toEqual({
    drifted: true,
    findings: [{ finding: "mismatch", path: "media_id", shape: "boolean" }],
  });

  const { explainSignature } = await load<typeof explain>("explain.js");
  const longer = new TextEncoder().encode(`${new TextDecoder().decode(body)}\n`);
  const explained = await explainSignature(longer, await signBody("secret", body), { secrets: ["secret"] });
  expect(explained.finding).toBe("line-end");
});

/** Code that compiles only if events are told apart by their kind. */
const consumer = `
import { createReceiver, type EventData, type InstagramEvent } from "instagram-webhook-receiver";
import { findDrift } from "instagram-webhook-receiver/drift";
import { explainSignature } from "instagram-webhook-receiver/explain";

export const receive: (request: Request) => Promise<Response> = createReceiver({
  appSecrets: ["secret", undefined],
  verifyToken: undefined,
  onEvents: async (events, delivery) => {
    const id: string = delivery.id;
    for (const event of events) {
      if (event.kind === "message") event.data.message?.attachments?.[0]?.payload?.url?.trim();
      else if (event.kind === "story_insights") event.data.reach?.toFixed();
      // @ts-expect-error A mention has ids only.
      else if (event.kind === "mention") event.data.text;
      findDrift(event).findings.map(({ path }) => path + id);
    }
  },
});
export const answer = (event: InstagramEvent<"comment">): string | undefined => event.data.text;
export const media: EventData["mention"]["media_id"] = "1";
export const explained: Promise<string> = explainSignature(new Uint8Array(), null, { secrets: [] }).then((it) => it.sentence);
`;

/** Code that compiles only if the package's types of data are identical to the project's. */
const sameTypes = `
import type { EventData as Packed } from "instagram-webhook-receiver";
import type { EventData } from "#instagram/data/event-data.ts";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type Differing = { [K in keyof EventData]: Same<EventData[K], Packed[K]> extends true ? never : K }[keyof EventData];
export const none: [Differing, keyof Packed] extends [never, keyof EventData] ? true : Differing = true;
`;

test.each([
  ["bundler", { module: "esnext", lib: ["ES2023", "DOM", "DOM.Iterable"], types: [] }],
  ["nodenext", { module: "nodenext", lib: ["ES2023"], types: ["node"] }],
  ["node16", { module: "node16", lib: ["ES2023"], types: ["node"] }],
])("its types compile in a strict app that checks them, with the module resolution %s", async (name, settings) => {
  write(`${name}/consumer.mts`, consumer);
  expect(
    await compile(name, ["consumer.mts"], {
      ...settings,
      moduleResolution: name,
      target: "es2022",
      skipLibCheck: false,
    }),
  ).toBe("");
});

test("its types of data are those of the project", async () => {
  write("same/same-types.ts", sameTypes);
  expect(await compile("same", ["same-types.ts"], {}, join(root, "tsconfig.json"))).toBe("");
});

test("the code of the guide and of the README compiles", async () => {
  const text = read(root, "docs/RECEIVER.md") + read(root, "src/receiver/README.md");
  const blocks = [...text.matchAll(/^```ts\n\/\/ (\S+)\n(.*?)^```$/gms)];
  expect(blocks.length).toBe([...text.matchAll(/^```ts$/gm)].length);
  for (const [, name = "", code = ""] of blocks) write(`guide/${name}`, code);
  // This module exists on Cloudflare's runtime only, and an app's own settings make its type.
  write("guide/workers.d.ts", 'declare module "cloudflare:workers" { export const env: Record<string, string>; }');
  const settings = {
    module: "esnext",
    moduleResolution: "bundler",
    target: "es2022",
    lib: ["ES2023", "DOM", "DOM.Iterable"],
    types: ["node"],
    skipLibCheck: true,
    esModuleInterop: true,
    paths: { "@/*": ["./*"] },
  };
  expect(await compile("guide", ["workers.d.ts", ...blocks.map(([, name = ""]) => name)], settings)).toBe("");
});

function write(path: string, text: string): void {
  const file = join(packed.app, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/** What the compiler prints: nothing if it finds no error. */
async function compile(folder: string, files: string[], settings: object, base?: string): Promise<string> {
  const compilerOptions = { strict: true, noEmit: true, incremental: false, ...settings };
  write(`${folder}/tsconfig.json`, JSON.stringify({ extends: base, compilerOptions, files, include: [] }));
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const run = promisify(execFile)(process.execPath, [tsc, "-p", join(packed.app, folder)]);
  return run.then(
    ({ stdout }) => stdout,
    (error: Error & { stdout?: string }) => error.stdout ?? error.message,
  );
}
