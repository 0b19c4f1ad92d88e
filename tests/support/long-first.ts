import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Files that take more than a few seconds, the longest first. */
const longFiles: readonly string[] = [
  "lifecycle-proof/lifecycle.test.ts",
  "chaos/chaos.test.ts",
  "browser/runtimes.test.ts",
  "browser/dashboard.test.ts",
  "cli/start.test.ts",
  "operations/built-relay.test.ts",
  "operations/built-probes.test.ts",
  "conformance/conform.test.ts",
  "operations/replay.test.ts",
  "browser/diagnostics.test.ts",
  "pipeline/tracing.test.ts",
  "pipeline/pipeline.test.ts",
  "lifecycle-experiment/experiment.test.ts",
  "store/migrate-interrupted.test.ts",
  "ingestion/handlers.test.ts",
  "ingestion/handler-faults.test.ts",
  "dashboard/read-runtimes.test.ts",
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
