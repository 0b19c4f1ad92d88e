// What the routes that Cloud Tasks calls share.
import type { JWTVerifyGetKey } from "jose";

import { createAnswerCloudTasks } from "#queue/cloud-tasks/answer-cloud-tasks.ts";
import { cloudTasksPath } from "#queue/cloud-tasks/cloud-tasks-path.ts";
import { createGoogleCerts } from "#queue/cloud-tasks/google-certs.ts";
import { readTaskOrigin } from "#queue/cloud-tasks/read-task-origin.ts";
import type { AnswerQueueCall } from "#queue/queue-call.ts";
import type { QueueRoute } from "#queue/queue-route.ts";

import { clock, log } from "../../log.ts";
import { giveUpAt } from "../../queue/messages.ts";

let certs: JWTVerifyGetKey | undefined;
const openCerts = (url: string) => (certs ??= createGoogleCerts(url, { fetch, clock }));

/** For this route, which accepts only what Google calls its own address for. */
export function answerCloudTasksAt(route: QueueRoute): AnswerQueueCall {
  const readOrigin = () => readTaskOrigin(process.env, route, openCerts);
  return createAnswerCloudTasks({ readOrigin, giveUp: giveUpAt(cloudTasksPath(route), route), clock, log });
}
