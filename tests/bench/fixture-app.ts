import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { keptPath, withNextApp } from "./next-app.ts";

const source = fileURLToPath(new URL("fixture-app", import.meta.url));

/**
 * The folder of the built app in `fixture-app/`, to be started there. It is built once for what it is built from, and
 * kept beside the packages it is linked to.
 */
export async function openFixtureApp(note: (text: string) => void): Promise<string> {
  const kept = keptPath("fixture-app", readSource());
  if (existsSync(kept)) return kept;

  note("Building the app to compare with …");
  await withNextApp(
    (folder) => cpSync(source, folder, { recursive: true }),
    (folder) => {
      const copy = `${kept}-${process.pid}`;
      mkdirSync(dirname(kept), { recursive: true });
      cpSync(folder, copy, { recursive: true });
      // Whole or not at all; somebody else may have been as quick.
      if (existsSync(kept)) rmSync(copy, { recursive: true });
      else renameSync(copy, kept);
    },
  );
  return kept;
}

/** Names and contents. */
function readSource(): string[] {
  const names = readdirSync(source, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
  return names.toSorted().flatMap((name) => [name, readFileSync(join(source, name), "utf8")]);
}
