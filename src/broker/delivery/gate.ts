import type { FlowControls } from "../store/flow-controls.ts";
import type { Queues } from "../store/queues.ts";
import type { Gate } from "./lanes.ts";

/** What flow-control keys and queues leave to a lane. */
export function createGate({ flowControls, queues }: { flowControls: FlowControls; queues: Queues }): Gate {
  return {
    room({ flowControlKey, queueName }, inFlight, nowMs) {
      const queue = queueName === null ? undefined : queues.get(queueName);
      return Math.min(
        flowControlKey === null
          ? Number.POSITIVE_INFINITY
          : flowControls.room(flowControlKey, inFlight.flowControlKey, nowMs),
        queueName === null
          ? Number.POSITIVE_INFINITY
          : queue?.isPaused
            ? 0
            : (queue?.parallelism ?? 1) - inFlight.queue,
      );
    },
    opensAtMs: ({ flowControlKey }, nowMs) =>
      flowControlKey === null ? undefined : flowControls.opensAtMs(flowControlKey, nowMs),
  };
}
