import type { MaintenancePart } from "#operations/maintenance.ts";
import type { Network } from "#platform/bounded-fetch.ts";
import { readDeployment } from "#platform/delivery.ts";
import type { EnvRecord } from "#platform/env.ts";
import type { Database } from "#store/connection/database.ts";

import { readOtlpTarget } from "./otlp-target.ts";
import { pushMetrics } from "./push-metrics.ts";

/** The part of maintenance that pushes metrics; none unless the environment asks for it. */
export function otlpParts(record: EnvRecord, openReads: () => Database, network: Network): MaintenancePart[] {
  const target = readOtlpTarget(record);
  if (target === null) return [];
  const resource = {
    "service.name": record["OTEL_SERVICE_NAME"]?.trim() || "instagram-webhook-relay",
    "service.version": readDeployment(record) ?? "",
  };
  return [{ name: "metrics-push", run: () => pushMetrics({ db: openReads(), target, resource, ...network }) }];
}
