// SQS's variables, apart from the other queues', so that the edge function holds only those of its own queue.
import { type EnvRecord, integer, optional, parseBaseUrl, token } from "../webhook-env.ts";

/**
 * What publishing to SQS and taking from it need. The names are our own: Vercel's functions may set AWS_ACCESS_KEY_ID,
 * AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN and AWS_REGION to values that give no access to anything.
 * https://vercel.com/docs/environment-variables/reserved-environment-variables
 */
export const sqsVariables = {
  SQS_QUEUE_URL: { parse: parseBaseUrl },
  SQS_REGION: { parse: (value: string) => /^[a-z]{2}[a-z0-9-]{3,30}$/.exec(value)?.[0], fallback: readRegion },
  SQS_ACCESS_KEY_ID: token,
  SQS_SECRET_ACCESS_KEY: token,
  SQS_SESSION_TOKEN: optional(token),
  SQS_MESSAGE_BYTES_MAX: integer(262_144, 1_024, 1_048_576),
};

/** Of an address such as `https://sqs.eu-central-1.amazonaws.com/123456789012/batches`. */
function readRegion(record: EnvRecord): string | undefined {
  return /^https:\/\/sqs\.([a-z0-9-]+)\./i.exec(record["SQS_QUEUE_URL"]?.trim() ?? "")?.[1];
}
