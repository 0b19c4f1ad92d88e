import type { Variables, Values } from "#platform/webhook-env.ts";
import type { InternalCallOptions } from "#platform/post-internal.ts";
import type { QueueName } from "#platform/queue-name.ts";
import type { QueuePublisher } from "#queue/publisher.ts";

/** How the webhook gets its queue: what each file of `publishers/` exports. QUEUE chooses one of them for a build. */
export interface QueueChoice<Queue extends Variables> {
  name: QueueName;
  /** What publishing needs, beside a delivery's own variables. */
  variables: Queue;
  /** `readCall`: how to call a route of ours at this path. */
  create: (env: Values<Queue>, readCall: (path: string) => InternalCallOptions) => QueuePublisher;
}
