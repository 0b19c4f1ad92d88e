import type { HttpFaultProxy } from "../support/http-fault-proxy.ts";
import { openOwnRedis } from "./own-redis.ts";
import { openOwnSqs } from "./own-sqs.ts";

/** The queues under which the product can be broken here. */
export type ChaosQueue = "qstash" | "postgres" | "redis" | "sqs";

/** The server of a queue that is drained, of the rig's own. */
export interface OwnQueue {
  /** Between the product and the queue. */
  proxy: HttpFaultProxy;
  env: Record<string, string>;
  /** Batches in it, those that are taken included. */
  countWaiting(): Promise<number>;
  remove(): Promise<void>;
}

/** Null for a queue that the rig starts anyway. */
export async function openOwnQueue(queue: ChaosQueue): Promise<OwnQueue | null> {
  if (queue === "redis") return openOwnRedis();
  return queue === "sqs" ? openOwnSqs() : null;
}
