import { cloudTasksPublisherVariables } from "#platform/queue-env/cloud-tasks.ts";
import { createCloudTasksPublisher } from "#queue/cloud-tasks/cloud-tasks-publisher.ts";

import type { QueueChoice } from "../queue-publisher.ts";

export const queue: QueueChoice<typeof cloudTasksPublisherVariables> = {
  name: "cloud-tasks",
  variables: cloudTasksPublisherVariables,
  create: (env, readCall) =>
    createCloudTasksPublisher({
      ...readCall(""),
      url: env.CLOUD_TASKS_URL,
      queue: env.CLOUD_TASKS_QUEUE,
      account: env.GOOGLE_SERVICE_ACCOUNT_KEY,
    }),
};
