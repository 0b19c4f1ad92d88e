/**
 * One server of a relay that runs off Vercel, `npm run serve`: `next start` with the environment's address and time limits.
 * It starts neither Postgres nor a queue, migrates nothing and installs nothing. systemd or Kubernetes starts it again and
 * stops it; there is one process, so their signals reach the server itself. It has no dependencies but Next, and needs no
 * dev packages. Exit status: 1 if it cannot start, 143 after SIGTERM, once it has drained.
 */
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { nodeProblem } from "./bootstrap.mjs";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
const buildIdFile = path.join(root, ".next", "BUILD_ID");
/** Longer than nginx (60 s) and AWS's balancers (60 s) keep a connection that nothing is sent on. */
const keepAliveMsDefault = 75_000;

function serve() {
  const problem = nodeProblem(process.versions.node);
  if (problem) throw new Error(problem);
  if (!fs.existsSync(buildIdFile)) throw new Error("There is no build here: npm run build makes it.");
  const port = readNumber("PORT", 3_000, 1, 65_535);
  const keepAliveMs = readNumber("KEEP_ALIVE_TIMEOUT_MS", keepAliveMsDefault, 1_000, 3_600_000);
  const host = valueOf("HOST") ?? "127.0.0.1";
  // What names the build where no platform does.
  process.env.BUILD_ID ??= fs.readFileSync(buildIdFile, "utf8").trim();
  process.env.NODE_ENV = "production";
  process.env.NEXT_TELEMETRY_DISABLED = "1";
  const next = path.join(root, "node_modules", "next", "dist", "bin", "next");
  const timeout = ["--keepAliveTimeout", String(keepAliveMs)];
  process.argv.splice(1, Infinity, next, "start", root, "-p", String(port), "-H", host, ...timeout);
  return import(pathToFileURL(next).href);
}

function readNumber(name, fallback, min, max) {
  const text = valueOf(name);
  if (text === undefined) return fallback;
  const number = /^\d{1,9}$/.test(text) ? Number(text) : -1;
  if (number < min || number > max) throw new Error(`${name} must be a whole number from ${min} to ${max}.`);
  return number;
}

function valueOf(name) {
  return (process.env[name] ?? "").trim() || undefined;
}

try {
  await serve();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
