import type { Check } from "../check.ts";

/** What SQS says of a queue: numbers are texts. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html */
export type SqsAttributes = Readonly<Record<string, string>>;

const dayMs = 86_400_000;
/** SQS's own default. */
const retentionMsMin = 4 * dayMs;
/** More than the takings after which the relay itself gives a batch up, and keeps it. */
const receiveCountMin = 10;

/** Whether the queue's settings suit the relay. `messageBytesMax`: SQS_MESSAGE_BYTES_MAX. */
export function judgeSqsQueue(attributes: SqsAttributes, messageBytesMax: number): Check[] {
  return [
    judgeSize(Number(attributes["MaximumMessageSize"]), messageBytesMax),
    judgeRedrive(attributes["RedrivePolicy"]),
    judgeRetention(Number(attributes["MessageRetentionPeriod"]) * 1_000),
    judgeDelay(Number(attributes["DelaySeconds"])),
    {
      name: "Waiting batches",
      status: "ok",
      detail: `about ${count(attributes["ApproximateNumberOfMessages"])}, and ${count(attributes["ApproximateNumberOfMessagesNotVisible"])} taken`,
    },
  ];
}

function judgeSize(bytesMax: number, messageBytesMax: number): Check {
  const name = "Message size";
  if (!(messageBytesMax > bytesMax)) return { name, status: "ok", detail: `up to ${known(bytesMax)} bytes` };
  return {
    name,
    status: "failed",
    detail: `the queue takes ${bytesMax} bytes`,
    cause: "SQS_MESSAGE_BYTES_MAX is more than the queue's MaximumMessageSize: large batches go to the fallback.",
    remedy: `Set SQS_MESSAGE_BYTES_MAX to ${bytesMax}, or raise the queue's MaximumMessageSize.`,
  };
}

function judgeRedrive(policy: string | undefined): Check {
  const name = "Dead-letter queue of SQS";
  if (policy === undefined || policy === "")
    return { name, status: "ok", detail: "none: the relay keeps dead letters" };
  const taken = Number(/"maxReceiveCount"\s*:\s*"?(\d+)/.exec(policy)?.[1] ?? Number.NaN);
  if (taken >= receiveCountMin) return { name, status: "ok", detail: `after ${taken} takings` };
  return {
    name,
    status: "warning",
    detail: Number.isNaN(taken) ? "set" : `after ${taken} takings`,
    cause:
      "A batch that fails is taken several times before the relay gives it up and keeps it as a dead letter. SQS moves it away before that, to a queue that the relay does not read.",
    remedy: `Remove the redrive policy, or set its maxReceiveCount to ${receiveCountMin} or more.`,
  };
}

function judgeRetention(retentionMs: number): Check {
  const name = "Retention";
  const detail = `${known(Math.round(retentionMs / dayMs))} days`;
  if (!(retentionMs < retentionMsMin)) return { name, status: "ok", detail };
  return {
    name,
    status: "warning",
    detail: retentionMs < dayMs ? `${Math.round(retentionMs / 3_600_000)} hours` : detail,
    cause: "SQS deletes what was not taken for so long, without a trace.",
    remedy: "Set the queue's MessageRetentionPeriod to 1209600, which is 14 days.",
  };
}

function judgeDelay(seconds: number): Check {
  const name = "Delay";
  if (!(seconds > 0)) return { name, status: "ok", detail: "none" };
  const cause = "The queue's DelaySeconds holds back each batch.";
  return { name, status: "warning", detail: `${seconds} s`, cause, remedy: "Set the queue's DelaySeconds to 0." };
}

function count(text: string | undefined): string {
  return text === undefined ? "–" : text;
}

function known(number: number): string {
  return Number.isNaN(number) ? "–" : String(number);
}
