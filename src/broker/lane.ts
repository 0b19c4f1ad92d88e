import type { Publication } from "./message.ts";

/** Messages with the same destination, flow-control key and queue: their limits are the same, so one waits for another. */
export interface LaneParts {
  /** Host and port. */
  destination: string;
  flowControlKey: string | null;
  queueName: string | null;
}

/** The name under which a message's lane is stored. */
export function laneOf({
  url,
  flowControl,
  queueName,
}: Pick<Publication, "url" | "flowControl" | "queueName">): string {
  return JSON.stringify([new URL(url).host, flowControl?.key ?? null, queueName]);
}

/** The reverse of `laneOf`. */
export function parseLane(lane: string): LaneParts {
  const [destination, flowControlKey, queueName]: [string, string | null, string | null] = JSON.parse(lane);
  return { destination, flowControlKey, queueName };
}
