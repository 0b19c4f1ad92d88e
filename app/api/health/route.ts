import { answerHealth } from "#dashboard/answer-health.ts";
import { systemClock as clock } from "#platform/clock.ts";

import packageJson from "../../../package.json" with { type: "json" };
import { allowOnly } from "../../allow-only.ts";
import { findPathFaults, getDatabase } from "../../services.ts";

export const dynamic = "force-dynamic";

export function GET(): Promise<Response> {
  const { version } = packageJson;
  return answerHealth({ openDatabase: () => getDatabase().db, findFaults: findPathFaults, clock, version });
}

const refuse = allowOnly("GET", "HEAD");
export { refuse as DELETE, refuse as OPTIONS, refuse as PATCH, refuse as POST, refuse as PUT };
