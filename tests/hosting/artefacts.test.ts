// The files of docs/hosting, examined by the programs that read them. `.ci/run` installs those, and names the folder of the
// packages among them; without it there is nothing to test.
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { variables } from "#platform/env.ts";

import { makeCertificate, nginxConfig } from "./nginx.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
const hosting = join(root, "docs/hosting");
const readHosting = (name: string) => readFileSync(join(hosting, name), "utf8");
const tools = process.env["TEST_HOSTING"] ?? "";

interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string };
}

describe.skipIf(tools === "")("docs/hosting", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "relay-hosting-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const load = (name: string): unknown => createRequire(join(tools, "package.json"))(name);

  test("nginx accepts nginx.conf", async () => {
    const certificate = await makeCertificate(folder);
    const config = join(folder, "nginx.conf");
    writeFileSync(config, nginxConfig({ folder, ...certificate }));
    const { stderr } = await run("nginx", ["-t", "-p", folder, "-c", config, "-e", "stderr"]);
    expect(stderr).toContain("test is successful");
    expect(stderr).not.toMatch(/\[(warn|error|emerg)\]/);
  });

  test("systemd accepts the units", async () => {
    const names = ["relay@.service", "relay-maintenance.service", "relay-maintenance.timer"];
    for (const name of names) {
      // systemd looks whether the programs are there, and Node need not be where Debian puts it.
      writeFileSync(join(folder, name), readHosting(name).replace("/usr/bin/node", process.execPath));
    }
    const paths = names.map((name) => join(folder, name.replace("@", "@3001")));
    symlinkSync(join(folder, "relay@.service"), join(folder, "relay@3001.service"));
    const { stdout, stderr } = await run("systemd-analyze", ["verify", "--man=no", "--recursive-errors=no", ...paths]);
    expect(stdout + stderr).toBe("");
  });

  test("the Containerfile has no fault, and copies only what exists", () => {
    const { validate } = load("dockerfile-utils") as { validate(text: string): { message: string }[] };
    const text = readHosting("Containerfile");
    expect(validate(text).map(({ message }) => message)).toEqual([]);
    const made = new Set(["node_modules", ".next"]);
    const copied = [...text.matchAll(/\/app\/(\S+)/g)].map(([, name = ""]) => name);
    expect(copied.filter((name) => !made.has(name) && !existsSync(join(root, name)))).toEqual([]);
    expect(copied).toEqual(expect.arrayContaining(["package.json", "next.config.ts", "src", ...made]));
    // Both stages know the queue: one builds for it, and the other's servers compare.
    expect(text.match(/^ARG QUEUE$/gm)).toHaveLength(2);
  });

  test("the Kubernetes manifest has no field that its API does not know, and lacks none", async () => {
    const manifests = readManifests();
    const source = manifests.map((manifest, index) => {
      const path = manifest.apiVersion === "v1" ? "core/v1" : manifest.apiVersion;
      return [
        `import type { ${manifest.kind} as Kind${index} } from "kubernetes-types/${path}";`,
        // A literal, in which the compiler accepts no unknown field.
        `export const manifest${index}: Kind${index} = ${JSON.stringify(manifest, null, 1)};`,
      ].join("\n");
    });
    writeFileSync(join(folder, "manifests.ts"), source.join("\n"));
    const options = ["--noEmit", "--strict", "--module", "nodenext", "--types", "", "--target", "es2022"];
    symlinkSync(join(tools, "node_modules"), join(folder, "node_modules"));
    const compile = run(process.execPath, [tsc, ...options, join(folder, "manifests.ts")], { cwd: folder });
    expect(await compile.then(({ stdout }) => stdout, failureText)).toBe("");
  });

  test("each container is no root, writes nowhere, and takes its secrets by reference; probes ask a route that exists", () => {
    const text = JSON.stringify(readManifests());
    const containers = [...text.matchAll(/"image":/g)].length;
    for (const fact of ['"readOnlyRootFilesystem":true', '"runAsNonRoot":true', '"allowPrivilegeEscalation":false']) {
      expect([fact, text.split(fact).length - 1]).toEqual([fact, containers]);
    }
    expect(text).not.toContain('"kind":"Secret"');
    const paths = [...text.matchAll(/"path":"([^"]+)"|http:\/\/relay(\/[^"\\]+)/g)].map(
      ([, probe, job]) => probe ?? job,
    );
    expect(new Set(paths)).toEqual(new Set(["/api/ready", "/api/cron/maintenance"]));
    for (const path of paths) expect(existsSync(join(root, `app${path}/route.ts`))).toBe(true);
    const names = [...text.matchAll(/"(?:name|key)":"([A-Z_]+)"/g)].map(([, name = ""]) => name);
    expect(names.filter((name) => !Object.hasOwn(variables, name))).toEqual([]);
  });

  function readManifests(): Manifest[] {
    const { parseAllDocuments } = load("yaml") as { parseAllDocuments(text: string): { toJS(): Manifest }[] };
    const text = ["kubernetes.yaml", "kubernetes-migrate.yaml"].map(readHosting).join("---\n");
    return parseAllDocuments(text).map((document) => document.toJS());
  }
});

test("nginx repeats what a stopping server refuses for each route that a machine calls", () => {
  const text = readHosting("nginx.conf");
  const locations = [...text.matchAll(/location (~ )?(\S+) \{([^}]*)\}/g)];
  const repeated = locations.filter(([, , , body = ""]) => body.includes("http_503 non_idempotent"));
  const isRepeated = (path: string) =>
    repeated.some(([, isPattern, place = ""]) => (isPattern ? new RegExp(place).test(path) : path.startsWith(place)));
  const machines = ["qstash", "cloud-tasks", "queue", "internal", "webhooks"];
  expect(machines.filter((name) => !existsSync(join(root, "app/api", name)))).toEqual([]);
  expect(machines.filter((name) => !isRepeated(`/api/${name}/x`))).toEqual([]);
  // An operator's action must not be made twice.
  expect(["ops", "cron", "diagnostics"].filter((name) => isRepeated(`/api/${name}/x`))).toEqual([]);
});

test("a PORT in the common variables does not reach the units", () => {
  expect(readHosting("relay@.service")).toMatch(/^ExecStart=\/usr\/bin\/env HOST=\S+ PORT=%i \//m);
});

const tsc = join(root, "node_modules/typescript/bin/tsc");

function failureText(thrown: unknown): string {
  const { stdout, stderr } = thrown as { stdout?: string; stderr?: string };
  return `${stdout ?? ""}${stderr ?? ""}` || String(thrown);
}
