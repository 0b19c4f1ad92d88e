import { laneOf } from "../lane.ts";
import type { Message } from "../message.ts";
import type { NewMessage } from "../store/message-rows.ts";
import type { Lanes } from "./lanes.ts";
import { createDeferred } from "./repeater.ts";

/** Deliveries under way, by the claim. */
export type InFlight = Map<Message, { ended: Promise<void>; abort: AbortController }>;

/** A delivery that is to begin when its message is committed as active. One of the functions has to be called. */
export interface Place {
  /** It is, at this place of the order. */
  begin(sequence: number): void;
  /** It was not accepted. */
  giveBack(): void;
  /** It is not known whether it was accepted. */
  abandon(): void;
}

export interface PlaceOptions {
  lanes: Lanes;
  inFlight: InFlight;
  /** Whether deliveries may begin. A message that is accepted after they were stopped stays active, and the stop releases it. */
  isOpen: () => boolean;
  /** Takes the place up to the end of the delivery. */
  deliver: (message: Message, abort: AbortController) => Promise<void>;
  /** A place was given back unused. */
  onFree: () => void;
  /** A message may be active without a delivery. */
  onLost: () => void;
}

/** Whether a message may be delivered as soon as it is accepted: no time, queue, flow control or other message is before it. */
export function mayBegin(message: NewMessage, lanes: Lanes, nowMs: number): boolean {
  const { queueName, flowControl, notBeforeMs } = message;
  return queueName === null && flowControl === null && notBeforeMs <= nowMs && lanes.isOpen(laneOf(message), nowMs);
}

/** Counts a message as under way from before it is accepted, so that nothing releases it as one without a delivery. */
export function createPlace(accepted: NewMessage, { lanes, inFlight, ...options }: PlaceOptions): Place {
  const lane = laneOf(accepted);
  const message: Message = { ...accepted, retried: 0, lane, line: null, sequence: Number.NaN };
  const abort = new AbortController();
  const { promise: ended, resolve: end } = createDeferred();
  lanes.begin(lane, message.body.byteLength);
  inFlight.set(message, { ended, abort });
  const giveBack = () => {
    inFlight.delete(message);
    lanes.end(lane, message.body.byteLength);
    end();
    options.onFree();
  };
  return {
    begin(sequence) {
      if (!options.isOpen()) return giveBack();
      message.sequence = sequence;
      void options.deliver(message, abort).then(end);
    },
    giveBack,
    abandon() {
      giveBack();
      options.onLost();
    },
  };
}
