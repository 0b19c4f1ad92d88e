import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Which folder of `src` may import which others; the table of docs/ARCHITECTURE.md, executed. */
const mayImport: Record<string, readonly string[]> = {
  platform: [],
  instagram: ["platform"],
  queue: ["instagram", "platform"],
  telemetry: ["platform"],
  store: ["instagram", "telemetry", "platform"],
  handlers: ["instagram", "platform"],
  ingestion: ["instagram", "queue", "store", "handlers", "telemetry", "platform"],
  dashboard: ["store", "telemetry", "platform"],
  broker: ["platform"],
  cli: ["platform", "instagram", "queue", "telemetry", "store", "handlers", "ingestion", "dashboard", "broker"],
};
/** Of these folders the ones named may take only the files that hold types. */
const typeFiles: Record<string, readonly string[]> = {
  instagram: ["#instagram/events.ts", "#instagram/received-delivery.ts"],
  telemetry: ["#telemetry/report.ts"],
};
const typesOnly: Record<string, readonly string[]> = {
  queue: ["instagram"],
  store: ["instagram", "telemetry"],
  handlers: ["instagram"],
};
const anyRuntime = ["instagram", "queue", "telemetry", "platform"];

function files(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => join(folder, name));
}

function imports(file: string): string[] {
  const source = readFileSync(join(root, file), "utf8");
  const statement = /^(?:import|export)\s+(?:[\s\S]*?\s+from\s+)?["']([^"']+)["']|import\(["']([^"']+)["']\)/gm;
  return [...source.matchAll(statement)].map(([, specifier, dynamic]) => specifier ?? dynamic ?? "");
}

/** The folder of `src` that an import of a file there leads to; undefined for packages. */
function targetFolder(file: string, specifier: string): string | undefined {
  if (specifier.startsWith("#")) return specifier.slice(1).split("/")[0];
  if (!specifier.startsWith(".")) return undefined;
  const [top, folder] = relative(root, join(root, dirname(file), specifier)).split("/");
  return top === "src" ? folder : `../${top}`;
}

describe("the layout", () => {
  test("the table names every folder of src", () => {
    const folders = readdirSync(join(root, "src"), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
    expect(Object.keys(mayImport).toSorted()).toEqual(folders.toSorted());
  });

  test.each(Object.entries(mayImport))("%s imports only what it may", (folder, allowed) => {
    const wrong = files(`src/${folder}`).flatMap((file) =>
      imports(file).flatMap((specifier) => {
        const target = targetFolder(file, specifier);
        if (target === undefined || target === folder) return [];
        const isTypeFile = !typesOnly[folder]?.includes(target) || typeFiles[target]?.includes(specifier);
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

  test("only the rim touches process.env and the console", () => {
    const rim = /^(src\/cli\/|app\/|src\/platform\/log\.ts$)/;
    const wrong = [...files("src"), ...files("app")].filter((file) => {
      const source = readFileSync(join(root, file), "utf8");
      if (/\bconsole[.[]/.test(source) && !/^(src\/cli\/|src\/platform\/log\.ts$)/.test(file)) return true;
      return /\bprocess\.env\b/.test(source) && !rim.test(file);
    });
    expect(wrong).toEqual([]);
  });

  test("route files hold wiring, not logic", () => {
    const long = files("app/api").filter(
      (file) => file.endsWith("/route.ts") && readFileSync(join(root, file), "utf8").split("\n").length > 30,
    );
    expect(long).toEqual([]);
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
      "src",
      "tests",
      "tsconfig.json",
      "vercel.json",
    ];
    expect(tracked.toSorted()).toEqual(expected);
  });
});
