import { cpSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { keepNextApp, root } from "../bench/next-app.ts";

const fixture = fileURLToPath(new URL("fixture", import.meta.url));

/** Everything that the fixture is built from. The modules it imports from these folders import no others of `src`. */
const sources = ["src/instagram", "src/queue", "src/platform", "instrumentation.ts"].map((path) => join(root, path));

/** The folder of the built fixture, in which `next start` can run. Builds it if its sources have changed. */
export function buildFixture(note: (text: string) => void): Promise<string> {
  return keepNextApp("lifecycle", { sources: [fixture, ...sources], write }, () => note("Building the fixture …"));
}

/** Next needs copies of the routes themselves; what they import may be links. */
function write(folder: string): void {
  cpSync(join(fixture, "app"), join(folder, "app"), { recursive: true });
  symlinkSync(join(fixture, "fixture-routes.ts"), join(folder, "fixture-routes.ts"));
  symlinkSync(join(root, "instrumentation.ts"), join(folder, "instrumentation.ts"));
}
