import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";

const root = fileURLToPath(new URL("../..", import.meta.url));

export interface EdgeSize {
  /** The webhook's edge function, every file of it gzipped, in bytes. */
  webhookBytes: number;
  /** The same of an app whose only edge route answers with nothing. */
  emptyBytes: number;
}

/** What Next itself weighs on the edge is not ours to change; what is beyond that is held to this, in bytes of gzip. */
export const edgeBytesMax = 16_000;

/** Measures the build in `.next`, and the empty one, which is built once for each version of Next. */
export async function measureEdgeSize(note: (text: string) => void): Promise<EdgeSize> {
  const webhookBytes = gzippedBytes(join(root, ".next"), "/api/webhooks/instagram/route");
  const { version } = readJson(join(root, "node_modules/next/package.json")) as { version: string };
  const cache = join(root, `node_modules/.cache/relay/empty-edge-${version}.json`);
  if (existsSync(cache)) return { webhookBytes, emptyBytes: (readJson(cache) as { bytes: number }).bytes };

  note("Building an app with an empty edge route …");
  const emptyBytes = await buildEmptyApp();
  mkdirSync(dirname(cache), { recursive: true });
  writeFileSync(cache, JSON.stringify({ bytes: emptyBytes }));
  return { webhookBytes, emptyBytes };
}

/** Outside the checkout: Next would take the checkout's instrumentation.ts for the empty app's own. */
async function buildEmptyApp(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "relay-empty-edge-"));
  try {
    mkdirSync(join(folder, "app"));
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "junction");
    writeFileSync(join(folder, "package.json"), '{ "private": true }');
    // Turbopack follows no link that leads out of its root.
    writeFileSync(join(folder, "next.config.mjs"), 'export default { turbopack: { root: "/" } };');
    writeFileSync(
      join(folder, "app/route.ts"),
      'export const runtime = "edge";\n\nexport const GET = () => new Response();\n',
    );
    // Next decides what a production build is.
    const env: NodeJS.ProcessEnv = { ...process.env, NEXT_TELEMETRY_DISABLED: "1" };
    delete (env as Record<string, string | undefined>)["NODE_ENV"];
    const next = join(root, "node_modules/next/dist/bin/next");
    await promisify(execFile)(process.execPath, [next, "build"], {
      cwd: folder,
      env,
    });
    return gzippedBytes(join(folder, ".next"), "/route");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Everything a host has to load for an edge function, each file compressed by itself. */
function gzippedBytes(buildFolder: string, route: string): number {
  const manifest = readJson(join(buildFolder, "server/middleware-manifest.json")) as {
    functions: Record<string, { files: string[] }>;
  };
  const files = manifest.functions[route]?.files;
  if (files === undefined) throw new Error(`${route} is not an edge function of the build in ${buildFolder}`);
  return files.reduce((bytes, file) => bytes + gzipSync(readFileSync(join(buildFolder, file))).byteLength, 0);
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, "utf8"));
}
