import { answerHealth } from "#dashboard/status/answer-health.ts";
import { methods } from "#platform/methods.ts";

import packageJson from "../../../package.json" with { type: "json" };
import { getDatabase } from "../../database.ts";
import { clock, log } from "../../log.ts";
import { findPathFaults } from "../../services.ts";

export const dynamic = "force-dynamic";

const { version } = packageJson;
const options = { openDatabase: getDatabase, findFaults: findPathFaults, clock, version, log };

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({ GET: () => answerHealth(options) });
