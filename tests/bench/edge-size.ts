import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";

import { keptPath, root, withNextApp } from "./next-app.ts";

export interface EdgeSize {
  /** The code of the webhook's edge function, each file gzipped by itself, in bytes. */
  webhookBytes: number;
  /** The same of an app whose only edge route answers with nothing. */
  emptyBytes: number;
}

/** What Next itself weighs on the edge is not ours to change. What is beyond that is held to this, in bytes of gzip: 16,687 now. */
export const edgeBytesMax = 16_800;

const emptyRoute = 'export const runtime = "edge";\n\nexport const GET = () => new Response();\n';

/** Measures the build in `.next`, and the empty one, which is built once for the packages that are installed. */
export async function measureEdgeSize(note: (text: string) => void): Promise<EdgeSize> {
  const webhookBytes = gzippedBytes(join(root, ".next"), "/api/webhooks/instagram/route");
  const kept = keptPath("empty-edge-code", [emptyRoute]);
  if (existsSync(kept)) return { webhookBytes, emptyBytes: (readJson(kept) as { bytes: number }).bytes };

  note("Building an app with an empty edge route …");
  const emptyBytes = await withNextApp(
    (folder) => {
      mkdirSync(join(folder, "app"));
      writeFileSync(join(folder, "app/route.ts"), emptyRoute);
    },
    (folder) => gzippedBytes(join(folder, ".next"), "/route"),
  );
  mkdirSync(dirname(kept), { recursive: true });
  writeFileSync(kept, JSON.stringify({ bytes: emptyBytes }));
  return { webhookBytes, emptyBytes };
}

/**
 * Next's manifests, which a host loads too, are left out: they describe the whole app and hold its folder and a random id, so
 * that the same code would weigh some 30 bytes more or less in each build.
 */
function gzippedBytes(buildFolder: string, route: string): number {
  const manifest = readJson(join(buildFolder, "server/middleware-manifest.json")) as {
    functions: Record<string, { files: string[] }>;
  };
  const files = manifest.functions[route]?.files;
  if (files === undefined) throw new Error(`${route} is not an edge function of the build in ${buildFolder}`);
  const code = files.filter((file) => file.startsWith("server/edge/chunks/"));
  return code.reduce((bytes, file) => bytes + gzipSync(readFileSync(join(buildFolder, file))).byteLength, 0);
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, "utf8"));
}
