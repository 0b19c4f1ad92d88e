import { eventsPerMessageMax } from "#queue/handlers-message.ts";

/** The events that a replay runs first: if more than half of them fail, it stops. */
export const canarySize = 20;

/** How a replay is cut into messages. */
export interface Pace {
  eventsPerMessage: number;
  /** Published by one step; the next one comes after `stepMs`. */
  messagesPerStep: number;
  stepMs: number;
  /** The queue's flow control, where it has one; elsewhere the messages' own delays spread them evenly over a step. */
  flowControl: { key: string; value: string };
}

/** Short, so that a cancelled replay ends soon: no more than one step is on its way. */
const stepMs = 15_000;

/**
 * Messages as large as the rate allows, on a flow-control key of its own, so that live deliveries keep their pace. At most
 * two run at once.
 */
export function paceOf(ratePerMinute: number): Pace {
  const eventsPerMessage = Math.min(eventsPerMessageMax, ratePerMinute);
  const messagesPerMinute = Math.max(1, Math.floor(ratePerMinute / eventsPerMessage));
  const periodSeconds = Math.max(1, Math.floor(60 / messagesPerMinute));
  const rate = Math.max(1, Math.round((messagesPerMinute * periodSeconds) / 60));
  const wholeStepMs = Math.max(stepMs, periodSeconds * 1_000);
  return {
    eventsPerMessage,
    messagesPerStep: Math.max(1, Math.round((messagesPerMinute * wholeStepMs) / 60_000)),
    stepMs: wholeStepMs,
    flowControl: { key: "relay-replay", value: `parallelism=2, rate=${rate}, period=${periodSeconds}s` },
  };
}

/** What a replay of so many events and batches takes at this pace: a message for each step, too. */
export function estimate(
  { events, batches }: { events: number; batches: number },
  ratePerMinute: number,
): { qstashMessages: number; estimatedMs: number } {
  const pace = paceOf(ratePerMinute);
  const rest = Math.max(0, events - canarySize);
  const messages = (events > 0 ? 1 : 0) + Math.ceil(rest / pace.eventsPerMessage);
  const steps = 2 + Math.ceil(rest / (pace.eventsPerMessage * pace.messagesPerStep)) + Math.ceil(batches / canarySize);
  const estimatedMs = 4_000 + Math.max(0, steps - 2) * pace.stepMs;
  return { qstashMessages: messages + batches + steps, estimatedMs };
}
