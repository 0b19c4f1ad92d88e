import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Files that take more than a few seconds, the longest first. */
const longFiles: readonly string[] = [
  "browser/every-page.test.ts",
  "browser/runtimes.test.ts",
  "lifecycle-proof/lifecycle.test.ts",
  "browser/dashboard.test.ts",
  "browser/repair.test.ts",
  "cli/start.test.ts",
  "chaos/chaos.test.ts",
  "conformance/conform.test.ts",
  "receiver/runtimes.test.ts",
  "local/built-server.test.ts",
  "browser/diagnostics.test.ts",
  "browser/lists.test.ts",
  "cli/supervisor.test.ts",
  "measurements/verdict-simulation.test.ts",
  "browser/act.test.ts",
  "cli/built-relays.test.ts",
  "cli/dev.test.ts",
  "local/embedded-postgres.test.ts",
  "operations/built-relay.test.ts",
  "store/migrate-interrupted.test.ts",
  "store/migrate-live.test.ts",
  "cli/qstash.test.ts",
  "store/pool.test.ts",
  "pipeline/reads.test.ts",
  "lifecycle-experiment/frozen.test.ts",
  "queue/forward.test.ts",
  "store/odd-values.test.ts",
  "measurements/verdict.test.ts",
  "edge/edge-bundle.test.ts",
  "pipeline/pipeline.test.ts",
  "bench/edge-size.test.ts",
  "pipeline/shutdown.test.ts",
  "receiver/package.test.ts",
  "operations/maintenance.test.ts",
  "lifecycle-experiment/experiment.test.ts",
  "operations/replay.test.ts",
  "cli/relay.test.ts",
];

/**
 * Runs the long files first and the others in the order of their paths: the order is the same on each machine, and no worker
 * ends long after the others. A worker is used again only for the next file in the order, so projects are not mixed.
 */
export default class LongFirst extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLast = ({ project }: TestSpecification) => Number(project.name === "edge");
    const rank = ({ moduleId }: TestSpecification) => {
      const place = longFiles.findIndex((path) => moduleId.endsWith(`/tests/${path}`));
      return place < 0 ? longFiles.length : place;
    };
    return Promise.resolve(
      files.toSorted((a, b) => isLast(a) - isLast(b) || rank(a) - rank(b) || (a.moduleId < b.moduleId ? -1 : 1)),
    );
  }
}
