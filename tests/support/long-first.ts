import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Files that take more than a few seconds, those that only `.ci/run` asks for included, the longest first. */
const longFiles: readonly string[] = [
  "lifecycle-proof/lifecycle.test.ts",
  "browser/every-page.test.ts",
  "cli/start.test.ts",
  "conformance/conform.test.ts",
  "browser/repair.test.ts",
  "cli/supervisor.test.ts",
  "cli/dev.test.ts",
  "cli/backfill.test.ts",
  "hosting/replicas.test.ts",
  "browser/dashboard.test.ts",
  "browser/lists.test.ts",
  "browser/runtimes.test.ts",
  "chaos/chaos.test.ts",
  "browser/act.test.ts",
  "cli/built-relays.test.ts",
  "local/embedded-postgres.test.ts",
  "local/built-server.test.ts",
  "operations/built-relay.test.ts",
  "queue/sqs/sqs-queue.test.ts",
  "store/pool.test.ts",
  "queue/redis/redis-queue.test.ts",
  "measurements/verdict-simulation.test.ts",
  "pipeline/reads.test.ts",
  "receiver/runtimes.test.ts",
  "cli/qstash.test.ts",
  "pipeline/refusals.test.ts",
  "cli/relay.test.ts",
  "pipeline/shutdown.test.ts",
  "pipeline/pipeline.test.ts",
  "browser/diagnostics.test.ts",
  "edge/edge-bundle.test.ts",
  "lifecycle-experiment/frozen.test.ts",
  "lifecycle-experiment/experiment.test.ts",
  "operations/built-probes.test.ts",
  "queue/postgres/postgres-queue.test.ts",
  "pipeline/key-rotation.test.ts",
  "store/odd-values.test.ts",
  "cli/checklist.test.ts",
  "store/migrate-interrupted.test.ts",
  "ingestion/handlers.test.ts",
  "broker/database.test.ts",
  "operations/maintenance.test.ts",
  "pipeline/tracing.test.ts",
  "pipeline/pushing-queues.test.ts",
  "browser/alerts.test.ts",
  "pipeline/log-cost.test.ts",
  "metrics/documents.test.ts",
  "operations/replay.test.ts",
  "diagnostics/explain-signature.test.ts",
  "dashboard/built-server.test.ts",
  "broker/dead-letters.test.ts",
  "operations/backfill-faults.test.ts",
  "measurements/verdict.test.ts",
  "operations/dead-letters.test.ts",
  "cli/start-database.test.ts",
  "receiver/package.test.ts",
  "ingestion/handler-faults.test.ts",
  "diagnostics/routes.test.ts",
  "ingestion/drain.test.ts",
  "privacy/signed-request-routes.test.ts",
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
