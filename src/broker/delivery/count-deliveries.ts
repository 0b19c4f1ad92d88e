import { describeCause, type Log } from "#platform/log.ts";

import { parseLane } from "../lane.ts";
import type { Message } from "../message.ts";
import type { FlowControls } from "../store/flow-controls.ts";

/** Counts deliveries that begin now towards their flow-control keys. Never rejects. */
export async function countDeliveries(
  claimed: readonly Message[],
  nowMs: number,
  { flowControls, log }: { flowControls: FlowControls; log: Log },
): Promise<void> {
  const keys = new Set(claimed.map(({ lane }) => parseLane(lane).flowControlKey).filter((key) => key !== null));
  for (const key of keys) {
    const count = claimed.filter(({ lane }) => parseLane(lane).flowControlKey === key).length;
    try {
      await flowControls.count(key, count, nowMs);
    } catch (thrown) {
      // The count holds in this process; only a restart would not know of it.
      log.error("broker.store_failed", { during: "flow-control", ...describeCause(thrown) });
    }
  }
}
