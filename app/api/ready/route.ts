import { answerReady } from "#dashboard/status/answer-ready.ts";
import { readDeployment } from "#platform/delivery.ts";
import { methods } from "#platform/methods.ts";

import packageJson from "../../../package.json" with { type: "json" };
import { log } from "../../log.ts";
import { queueName } from "../../queue/queue.ts";

export const dynamic = "force-dynamic";

const { version } = packageJson;
const options = { env: process.env, queue: queueName, deployment: readDeployment(process.env), version, log };

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({ GET: () => answerReady(options) });
