import type { Answer } from "./exchange.ts";
import type { Delivery, Receiver } from "./receiver.ts";

/** `must`: without it deliveries are lost, or forged ones taken. `should`: advice. */
export type Level = "must" | "should";

export interface ConformanceCase {
  /** `group.name` */
  id: string;
  level: Level;
  /** What holds if it passes. */
  checks: string;
  /** Why it matters, and where that is known from. */
  why: string;
  /** `patient`: mostly waits, so it is begun first, beside the others. `alone`: nothing else runs at the same time. */
  pace?: "patient" | "alone";
  /** Resolves with what is wrong, as half a sentence; `null` if nothing is. May reject with `NoAnswer`. */
  run(receiver: Receiver): Promise<string | null>;
}

/** A case but for how it is run. */
type Stated = Omit<ConformanceCase, "run">;

/** Builds deliveries, new each time; several are sent one after another. */
type Send = (receiver: Receiver) => Delivery | Delivery[] | Promise<Delivery | Delivery[]>;

/** Meta's limit. https://developers.facebook.com/docs/messenger-platform/webhooks */
export const metaLimitMs = 5_000;

/** Every delivery must be answered as Meta wants it. */
export function accepts({ send, ...stated }: Stated & { send: Send }): ConformanceCase {
  return { ...stated, run: (receiver) => firstFault(receiver, send, faultUnlessAccepted) };
}

/** No delivery may be answered with success. */
export function refuses({ send, ...stated }: Stated & { send: Send }): ConformanceCase {
  return { ...stated, run: (receiver) => firstFault(receiver, send, faultUnlessRefused) };
}

async function firstFault(
  receiver: Receiver,
  send: Send,
  judge: (answer: Answer) => string | null,
): Promise<string | null> {
  for (const delivery of [await send(receiver)].flat()) {
    const fault = judge(await receiver.deliver(delivery));
    if (fault !== null) return fault;
  }
  return null;
}

export function faultUnlessAccepted({ status, headers, ms }: Answer): string | null {
  if (status >= 300 && status < 400) return `answered ${status} to ${headers.location ?? "nowhere"}, not 200`;
  if (status !== 200) return `answered ${status}, not 200`;
  return ms > metaLimitMs ? `answered 200 only after ${(ms / 1000).toFixed(1)} s` : null;
}

export function faultUnlessRefused({ status }: Answer): string | null {
  return status >= 200 && status < 400 ? `answered ${status}, and did not refuse it` : null;
}

/** For what need not be taken, but must not break anything either. */
export function faultIfBroken({ status }: Answer): string | null {
  return status >= 500 ? `answered ${status}` : null;
}
