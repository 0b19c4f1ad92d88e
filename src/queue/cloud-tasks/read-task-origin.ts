import type { JWTVerifyGetKey } from "jose";

import { type EnvRecord, readEnv } from "#platform/env.ts";
import type { QueueRoute } from "../queue-route.ts";

import { cloudTasksPath } from "./cloud-tasks-path.ts";
import type { TaskOrigin } from "./verify-task.ts";

const variables = ["GOOGLE_SERVICE_ACCOUNT_KEY", "GOOGLE_CERTS_URL", "RELAY_URL", "DATABASE_URL"] as const;

/** How to verify a call of the route; throws `ENV_INVALID` naming every variable that is missing. */
export function readTaskOrigin(
  record: EnvRecord,
  route: QueueRoute,
  openCerts: (url: string) => JWTVerifyGetKey,
): TaskOrigin {
  const env = readEnv(record, variables);
  return {
    certs: openCerts(env.GOOGLE_CERTS_URL),
    email: env.GOOGLE_SERVICE_ACCOUNT_KEY.email,
    urls: env.RELAY_URL.map((url) => `${url}${cloudTasksPath(route)}`),
  };
}
