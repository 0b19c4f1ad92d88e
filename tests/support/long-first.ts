import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Files that take more than a few seconds, those that only `.ci/run` asks for included, the longest first. */
export const longFiles: readonly string[] = [
  "lifecycle-proof/lifecycle.test.ts",
  "browser/every-page.test.ts",
  "browser/dashboard.test.ts",
  "chaos/chaos.test.ts",
  "cli/start.test.ts",
  "cli/supervisor.test.ts",
  "cli/dev.test.ts",
  "cli/interrupted.test.ts",
  "cli/backfill.test.ts",
  "hosting/replicas.test.ts",
  "conformance/conform.test.ts",
  "browser/repair.test.ts",
  "browser/lists.test.ts",
  "browser/runtimes.test.ts",
  "queue/sqs/sqs-queue.test.ts",
  "browser/act.test.ts",
  "bench/edge-size.test.ts",
  "operations/built-relay.test.ts",
  "local/embedded-postgres.test.ts",
  "pipeline/reads.test.ts",
  "queue/redis/redis-queue.test.ts",
  "cli/qstash.test.ts",
  "store/connection/pool.test.ts",
  "receiver/runtimes.test.ts",
  "local/built-server.test.ts",
  "queue/postgres/postgres-queue.test.ts",
  "operations/built-probes.test.ts",
  "pipeline/refusals.test.ts",
  "cli/built-relays.test.ts",
  "pipeline/key-rotation.test.ts",
  "store/odd-values.test.ts",
  "cli/relay.test.ts",
  "lifecycle-experiment/frozen.test.ts",
  "broker/dead-letters.test.ts",
  "edge/edge-bundle.test.ts",
  "operations/replay.test.ts",
  "operations/backfill-faults.test.ts",
  "browser/diagnostics.test.ts",
  "pipeline/shutdown.test.ts",
  "lifecycle-experiment/experiment.test.ts",
  "dashboard/built-server.test.ts",
  "metrics/documents.test.ts",
  "cli/checklist.test.ts",
  "pipeline/pipeline.test.ts",
  "diagnostics/explain-signature.test.ts",
  "pipeline/log-cost.test.ts",
  "broker/database.test.ts",
  "store/migrate-interrupted.test.ts",
  "operations/maintenance.test.ts",
  "ingestion/handlers.test.ts",
  "ingestion/drain.test.ts",
  "browser/alerts.test.ts",
  "measurements/verdict.test.ts",
  "measurements/verdict-simulation.test.ts",
  "operations/dead-letters.test.ts",
  "ingestion/handler-faults.test.ts",
  "pipeline/pushing-queues.test.ts",
  "pipeline/tracing.test.ts",
  "operations/roll-up.test.ts",
  "dashboard/runtimes/read-runtimes.test.ts",
  "queue/forward.test.ts",
  "diagnostics/routes.test.ts",
  "instagram/hostile.test.ts",
  "broker/retries.test.ts",
  "receiver/package.test.ts",
  "dashboard/events/read-events.test.ts",
  "dashboard/route-roles.test.ts",
  "store/migrate-rows.test.ts",
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
