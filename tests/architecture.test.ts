import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

import { describe, expect, test } from "vitest";

import { requestErrors as edgeErrors } from "#platform/edge-errors.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Which folder of `src` may import which others; the table of docs/ARCHITECTURE.md, executed. */
const mayImport: Record<string, readonly string[]> = {
  platform: [],
  instagram: ["platform"],
  queue: ["instagram", "platform"],
  measurements: ["platform"],
  tracing: ["platform"],
  "lifecycle-experiment": ["platform"],
  store: ["instagram", "measurements", "lifecycle-experiment", "platform"],
  handlers: ["instagram", "platform"],
  ingestion: ["instagram", "queue", "store", "handlers", "measurements", "tracing", "platform"],
  privacy: ["instagram", "queue", "store", "handlers", "measurements", "tracing", "platform"],
  operations: ["queue", "store", "measurements", "platform"],
  dashboard: ["queue", "store", "measurements", "operations", "lifecycle-experiment", "platform"],
  diagnostics: ["instagram", "queue", "platform"],
  broker: ["platform"],
  local: ["broker", "platform"],
  conformance: ["instagram", "diagnostics", "platform"],
  receiver: ["instagram", "diagnostics", "platform"],
  cli: [
    "platform",
    "instagram",
    "queue",
    "measurements",
    "tracing",
    "store",
    "handlers",
    "ingestion",
    "privacy",
    "operations",
    "dashboard",
    "diagnostics",
    "lifecycle-experiment",
    "local",
    "broker",
    "conformance",
    "receiver",
  ],
};
/** Of these folders the ones named may take only the files that hold types. */
const typeFiles: Record<string, readonly string[]> = {
  instagram: ["#instagram/events.ts", "#instagram/received-delivery.ts"],
  measurements: ["#measurements/measurement.ts", "#measurements/probe.ts", "#measurements/report.ts"],
  "lifecycle-experiment": ["#lifecycle-experiment/experiment.ts"],
  queue: ["#queue/capabilities.ts"],
};
/** Types that are described beside the schemas: what a handler is given, and what comparing with a schema finds. */
const typesOf: Record<string, RegExp> = {
  handlers: /^#instagram\/data\//,
  store: /^#instagram\/data\/find-drift\.ts$/,
};
const typesOnly: Record<string, readonly string[]> = {
  queue: ["instagram"],
  store: ["instagram", "measurements", "lifecycle-experiment"],
  handlers: ["instagram"],
  dashboard: ["queue"],
};
const anyRuntime = ["instagram", "queue", "measurements", "lifecycle-experiment", "platform", "receiver"];

function files(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => join(folder, name));
}

function imports(file: string, prepare = (source: string) => source): string[] {
  const source = prepare(readFileSync(join(root, file), "utf8"));
  const statement = /^(?:import|export)\s+(?:[\s\S]*?\s+from\s+)?["']([^"']+)["']|import\(["']([^"']+)["']\)/gm;
  return [...source.matchAll(statement)].map(([, specifier, dynamic]) => specifier ?? dynamic ?? "");
}

function withoutTypes(source: string): string {
  return source.replace(/^(?:import|export) type [^;]+;$/gm, "");
}

/** Imports that lead to one file on the edge and to another elsewhere. */
const conditional = (JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as PackageImports).imports;

interface PackageImports {
  imports: Record<string, string | { "edge-light": string; default: string }>;
}

/** Where such an import leads to on the edge, from the top; undefined for any other. */
function onEdge(specifier: string): string | undefined {
  const target = conditional[specifier];
  return typeof target === "object" ? join(target["edge-light"]) : undefined;
}

/** The folder of `src` that an import of a file there leads to; undefined for packages. */
function targetFolder(file: string, specifier: string): string | undefined {
  const edgeFile = onEdge(specifier);
  if (edgeFile !== undefined) return edgeFile.split("/")[1];
  if (specifier.startsWith("#")) return specifier.slice(1).split("/")[0];
  if (!specifier.startsWith(".")) return undefined;
  const [top, folder] = relative(root, join(root, dirname(file), specifier)).split("/");
  return top === "src" ? folder : `../${top}`;
}

/** These files with all that is loaded for them: what is imported for its types alone is not. */
function importedWith(start: readonly string[]): string[] {
  const found = new Set(start);
  for (const file of found) {
    if (!/\.tsx?$/.test(file)) continue;
    for (const specifier of imports(file, withoutTypes)) {
      const edgeFile = onEdge(specifier);
      if (edgeFile !== undefined) found.add(edgeFile);
      else if (specifier.startsWith("#")) found.add(join("src", specifier.slice(1)));
      else found.add(specifier.startsWith(".") ? join(dirname(file), specifier) : specifier);
    }
  }
  return [...found];
}

describe("the layout", () => {
  test("the table names every folder of src", () => {
    const folders = readdirSync(join(root, "src"), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
    expect(Object.keys(mayImport).toSorted()).toEqual(folders.toSorted());
  });

  test("docs/ARCHITECTURE.md shows every folder of src, tests and app/api", () => {
    const tree = /^```\n(app\/[\s\S]*?)^```/m.exec(readFileSync(join(root, "docs/ARCHITECTURE.md"), "utf8"))?.[1] ?? "";
    const missing = ["src", "tests", "app/api"].flatMap((parent) =>
      readdirSync(join(root, parent), { withFileTypes: true })
        .filter((entry) => entry.isDirectory() && !(parent === "tests" && entry.name in mayImport))
        .map(({ name }) => (parent === "app/api" ? `api/${name}/` : `  ${name}/`))
        .filter((name) => !tree.includes(name)),
    );
    expect(missing).toEqual([]);
  });

  test("docs/ARCHITECTURE.md has the same table", () => {
    const text = readFileSync(join(root, "docs/ARCHITECTURE.md"), "utf8");
    const [, section = ""] = text.split("## Who may import whom\n");
    const [, , ...rows] = (section.split("\n## ")[0] ?? "").split("\n").filter((line) => line.startsWith("|"));
    const all = Object.keys(mayImport).filter((folder) => folder !== "cli");
    const names = (cell = "") => (cell === "all" ? all : cell.split(", ").filter((name) => name !== "")).toSorted();
    const documented = rows.flatMap((row) => {
      const [folders, imported, types] = row
        .split("|")
        .slice(1)
        .map((cell) => cell.trim());
      return names(folders).map((folder) => [folder, { imports: names(imported), types: names(types) }] as const);
    });
    const executed = Object.entries(mayImport).map(([folder, imported]) => [
      folder,
      { imports: imported.toSorted(), types: (typesOnly[folder] ?? []).toSorted() },
    ]);
    expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(executed));
  });

  test.each(Object.entries(mayImport))("%s imports only what it may", (folder, allowed) => {
    const wrong = files(`src/${folder}`).flatMap((file) =>
      imports(file).flatMap((specifier) => {
        const target = targetFolder(file, specifier);
        if (target === undefined || target === folder) return [];
        const isTypeFile =
          !typesOnly[folder]?.includes(target) ||
          typeFiles[target]?.includes(specifier) ||
          typesOf[folder]?.test(specifier);
        return allowed.includes(target) && isTypeFile ? [] : [`${file} → ${specifier}`];
      }),
    );
    expect(wrong).toEqual([]);
  });

  test.each(anyRuntime)("%s imports no Node module", (folder) => {
    const wrong = files(`src/${folder}`).flatMap((file) =>
      imports(file).flatMap((specifier) => (specifier.startsWith("node:") ? [`${file} → ${specifier}`] : [])),
    );
    expect(wrong).toEqual([]);
  });

  test("only the entries of the receiver's package pass on what other folders export", () => {
    const passesOn = /^export (?:type )?(?:\*|\{[^}]*\}) from "#/m;
    const barrels = files("src").filter((file) => passesOn.test(readFileSync(join(root, file), "utf8")));
    expect(barrels.toSorted()).toEqual(["src/receiver/explain.ts", "src/receiver/index.ts"]);
  });

  test("the webhook takes in no schema: on the edge every byte is loaded before the first answer", () => {
    const taken = importedWith(["app/api/webhooks/instagram/route.ts", "src/instagram/webhook-parser.ts"]);
    expect(taken).toContain("src/instagram/webhook-handler.ts");
    expect(taken.filter((name) => name === "valibot" || name.startsWith("src/instagram/data/"))).toEqual([]);
    expect(importedWith(["src/ingestion/ingest.ts"])).toContain("src/instagram/data/event-data.ts");
  });

  test("the edge's table of errors has all that its functions throw", () => {
    const start = ["app/api/webhooks/instagram/route.ts", "app/api/internal/lifecycle/edge/route.ts"];
    const thrown = importedWith(start)
      .filter((name) => /^(app|src)\/.*\.tsx?$/.test(name))
      .flatMap((name) => [...readFileSync(join(root, name), "utf8").matchAll(/RelayError\(\s*"([A-Z_]+)"/g)])
      .map(([, code]) => code ?? "");
    expect(Object.keys(edgeErrors).toSorted()).toEqual([...new Set(thrown)].toSorted());
  });

  test("only the rim touches process.env and the console", () => {
    const rim = /^(src\/cli\/|src\/local\/|app\/|src\/platform\/log\.ts$)/;
    // What stands beside handler.ts is the user's code: it has its own variables, and npm packages as it likes.
    const ofUser = /^src\/handlers\/(?!handler\.ts$)/;
    const wrong = [...files("src"), ...files("app")].filter((file) => {
      if (ofUser.test(file)) return false;
      const source = readFileSync(join(root, file), "utf8");
      // Not Upstash's host, whose name begins with it.
      if (/(?<!\/)\bconsole(\.\w|\[)/.test(source) && !/^(src\/cli\/|src\/platform\/log\.ts$)/.test(file)) return true;
      return /\bprocess\.env\b/.test(source) && !rim.test(file);
    });
    expect(wrong).toEqual([]);
  });

  test("nothing but what belongs there lies at the top", () => {
    const tracked = readdirSync(root).filter(
      (name) => !name.startsWith(".") && !/^(node_modules|next-env\.d\.ts|.*\.tsbuildinfo)$/.test(name),
    );
    const expected = [
      "LICENSE",
      "README.md",
      "app",
      "docs",
      "instrumentation.ts",
      "next.config.ts",
      "package-lock.json",
      "package.json",
      "proxy.ts",
      "src",
      "tests",
      "tsconfig.json",
      "vercel.json",
    ];
    expect(tracked.toSorted()).toEqual(expected);
  });
});
