import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { promisify } from "node:util";

import { createInference, flattenEventData } from "./flatten-event-data.ts";
import { entries } from "./manifest.ts";

/** Of the imports with conditions: the file that the package is built with. */
const conditional: Readonly<Record<string, string>> = { "#request-errors": "platform/edge-errors" };

export interface EmitOptions {
  /** The project. */
  root: string;
  /** A folder within the project, so that the project's imports resolve. */
  work: string;
  /** Where the declarations go. */
  target: string;
}

/**
 * Writes the declarations of the entries and of what they import, a file for each module. Rejects with the compiler's output
 * if it finds an error.
 */
export async function emitDeclarations({ root, work, target }: EmitOptions): Promise<void> {
  const inference = join(work, "inference.ts");
  writeFileSync(inference, createInference(join(root, "src")));
  const emitted = join(work, "emitted");
  const settings = {
    extends: join(root, "tsconfig.json"),
    compilerOptions: {
      noEmit: false,
      declaration: true,
      emitDeclarationOnly: true,
      incremental: false,
      outDir: emitted,
      rootDir: root,
      types: [],
      plugins: [],
    },
    files: [...Object.values(entries).map((name) => join(root, `src/receiver/${name}.ts`)), inference],
    include: [],
  };
  const project = join(work, "tsconfig.json");
  writeFileSync(project, JSON.stringify(settings));
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  await promisify(execFile)(process.execPath, [tsc, "-p", project]).catch((error: { stdout?: string }) => {
    throw new Error(`The receiver does not compile:\n${error.stdout}`, { cause: error });
  });

  const source = join(emitted, "src");
  const inferred = readFileSync(join(emitted, relative(root, work), "inference.d.ts"), "utf8");
  writeFileSync(join(source, "instagram/data/event-data.d.ts"), flattenEventData(source, inferred));
  copyReachable(source, target);
}

/** Copies the entries' declarations and what they import, each import as a relative path that ends in `.js`. */
function copyReachable(source: string, target: string): void {
  const names = new Set(Object.values(entries).map((name) => `receiver/${name}`));
  for (const name of names) {
    const text = readFileSync(join(source, `${name}.d.ts`), "utf8");
    const rewritten = text.replaceAll(/(\bfrom |\bimport\()"([^"]+)"/g, (_all, before: string, specifier: string) => {
      const imported = resolve(name, specifier);
      names.add(imported);
      const path = relative(dirname(name), imported);
      return `${before}"${path.startsWith(".") ? path : `./${path}`}.js"`;
    });
    const file = join(target, `${name}.d.ts`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, rewritten);
  }
}

function resolve(importer: string, specifier: string): string {
  const known = conditional[specifier];
  if (known !== undefined) return known;
  const bare = specifier.replace(/\.ts$/, "");
  if (bare.startsWith("#")) return bare.slice(1);
  if (bare.startsWith(".")) return join(dirname(importer), bare);
  throw new Error(`The declarations of ${importer} need the package ${specifier}`);
}
