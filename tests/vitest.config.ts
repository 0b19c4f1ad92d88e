import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";

import { defineConfig } from "vitest/config";

import LongFirst from "./support/long-first.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

export default defineConfig({
  root,
  test: {
    reporters: ["default", "./tests/support/summary-reporter.ts"],
    // Many tests start a server or a command, which takes seconds while the other workers are busy.
    testTimeout: 40_000,
    hookTimeout: 60_000,
    // One more than processors, because a worker waits for servers and browsers much of its time.
    maxWorkers: availableParallelism() + 1,
    sequence: { sequencer: LongFirst },
    projects: [
      {
        extends: true,
        test: {
          name: "node",
          globalSetup: "tests/support/global-setup.ts",
          setupFiles: "tests/support/fixed-seed.ts",
          include: ["tests/**/*.test.ts"],
          exclude: ["tests/edge/*.edge.test.ts"],
          // Loading the modules again for each file would take a third of the time of a run.
          isolate: false,
        },
      },
      {
        // An emulation of the edge's globals; the real bundle is run in tests/edge/edge-bundle.test.ts.
        extends: true,
        test: { name: "edge", include: ["tests/edge/*.edge.test.ts"], environment: "edge-runtime" },
      },
    ],
  },
});
