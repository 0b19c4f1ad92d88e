// The variables of Redis, apart from the other queues', so that the edge function holds only those of its own queue.
import { type EnvRecord, parseBaseUrl, token } from "../webhook-env.ts";

/**
 * What publishing to Redis and taking from it need. Upstash's integrations set the address and the token under two other
 * pairs of names. https://upstash.com/docs/redis/howto/vercelintegration
 */
export const redisVariables = {
  QUEUE_REDIS_REST_URL: {
    parse: parseBaseUrl,
    fallback: (record: EnvRecord) => parseBaseUrl(integrationValue(record, "URL")),
  },
  QUEUE_REDIS_REST_TOKEN: {
    parse: token.parse,
    fallback: (record: EnvRecord) => token.parse(integrationValue(record, "TOKEN")),
  },
  /** The key of the stream. Deployments that share a database need different ones. */
  QUEUE_REDIS_STREAM: {
    parse: (value: string) => /^[\w:.{}-]{1,200}$/.exec(value)?.[0],
    fallback: () => "instagram-webhook-relay",
  },
};

/** Of one integration: the address of one database and the token of another would not fit. */
function integrationValue(record: EnvRecord, end: "URL" | "TOKEN"): string {
  if (record["QUEUE_REDIS_REST_URL"]) return "";
  const start = record["UPSTASH_REDIS_REST_URL"] ? "UPSTASH_REDIS_REST_" : "KV_REST_API_";
  return (record[start + end] ?? "").trim();
}
