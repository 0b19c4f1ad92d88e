import { cpSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { keepNextApp } from "./next-app.ts";

const source = fileURLToPath(new URL("fixture-app", import.meta.url));

/** The folder of the built app in `fixture-app/`, in which `next start` can run. */
export function openFixtureApp(note: (text: string) => void): Promise<string> {
  const write = (folder: string) => cpSync(source, folder, { recursive: true });
  return keepNextApp("fixture-app", { sources: [source], write }, () => note("Building the app to compare with …"));
}
