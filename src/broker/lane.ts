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
  return JSON.stringify([hostOf(url), flowControl?.key ?? null, queueName]);
}

/** Host and port as they stand in an address. Not parsed as a URL: that shows when thousands are accepted. */
function hostOf(url: string): string {
  return /^[^:]+:\/\/(?:[^/?#]*@)?([^/?#]*)/.exec(url)?.[1]?.toLowerCase() ?? "";
}

/** The reverse of `laneOf`. */
export function parseLane(lane: string): LaneParts {
  const [destination, flowControlKey, queueName]: [string, string | null, string | null] = JSON.parse(lane);
  return { destination, flowControlKey, queueName };
}
