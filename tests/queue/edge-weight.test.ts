/** What each queue adds to the edge function, beside QStash. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { build } from "esbuild";
import { expect, test } from "vitest";

import { queueNames } from "#platform/queue-name.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
/** docs/QUEUES.md has the weights of six builds by Next, of which this is a quick estimate. */
const beyondQstashMax = 2_000;

/** The webhook's code as the edge function of this queue has it, minified and compressed. */
async function weigh(name: string): Promise<number> {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: ["app/api/webhooks/instagram/route.ts"],
    alias: { "#queue-publisher": join(root, `app/queue/publishers/${name}.ts`) },
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    conditions: ["edge-light"],
  });
  return gzipSync(outputFiles[0]?.contents ?? "").byteLength;
}

test("with each queue the webhook's code is at most 2 kB larger than with QStash", async () => {
  const weights = await Promise.all(queueNames.map(async (name) => [name, await weigh(name)] as const));
  const qstash = weights.find(([name]) => name === "qstash")?.[1] ?? 0;
  // Each build has its own queue: no two weigh the same.
  expect(new Set(weights.map(([, bytes]) => bytes)).size).toBe(queueNames.length);
  expect(weights.filter(([, bytes]) => bytes - qstash > beyondQstashMax)).toEqual([]);
});
