import type { Answer } from "./exchange.ts";
import type { Body, Delivery, Receiver } from "./receiver.ts";

/** `must`: a receiver that fails loses deliveries or accepts forged ones. `should`: advice. */
export type Level = "must" | "should";

export interface ConformanceCase {
  /** `group.name` */
  id: string;
  level: Level;
  /** What is true of a receiver that passes. */
  checks: string;
  /** Why it matters and, where there is one, the source. */
  why: string;
  /** `patient`: it mostly waits, so it starts first and runs beside the others. `alone`: no other case runs meanwhile. */
  pace?: "patient" | "alone";
  /** Resolves with the fault, as half a sentence; `null` if there is none. May reject with `NoAnswer`. */
  run(receiver: Receiver): Promise<string | null>;
}

/** A case without its `run`. */
type Stated = Omit<ConformanceCase, "run">;

/** Builds deliveries, new ones each time. Several are sent one after another. */
type Send = (receiver: Receiver) => Delivery | Delivery[] | Promise<Delivery | Delivery[]>;

/** How long Meta waits for an answer. https://developers.facebook.com/docs/messenger-platform/webhooks */
const metaLimitMs = 5_000;

/** A case that passes if every delivery is accepted. */
export function accepts({ send, ...stated }: Stated & { send: Send }): ConformanceCase {
  return { ...stated, run: (receiver) => firstFault(receiver, send, faultUnlessAccepted) };
}

/** Creates the cases of one group that each pass if one signed delivery with the built body is accepted. */
export function acceptsBodyIn(group: string) {
  /** `how` is what else differs from Meta's usual delivery. */
  return (
    name: string,
    level: Level,
    what: string,
    why: string,
    build: (nowMs: number) => Body,
    how: Omit<Delivery, "body"> = {},
  ): ConformanceCase => {
    const send: Send = ({ clock }) => ({ body: build(clock.nowMs()), ...how });
    return accepts({ id: `${group}.${name}`, level, checks: `accepted: ${what}`, why, send });
  };
}

/** A case that passes if no delivery is answered with success or a redirect. */
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

/** What Meta would count as a failure: any status but 200, and an answer after 5 s. `null` if there is nothing. */
export function faultUnlessAccepted(answer: Answer): string | null {
  const { status, ms } = answer;
  if (status !== 200) return faultUnless200(answer);
  return ms > metaLimitMs ? `answered 200 only after ${(ms / 1000).toFixed(1)} s` : null;
}

/** Names the status if it is not 200, and where a redirect leads. */
export function faultUnless200({ status, headers }: Answer): string | null {
  if (status === 200) return null;
  const where = status >= 300 && status < 400 ? ` to ${headers.location ?? "nowhere"}` : "";
  return `answered ${status}${where}, not 200`;
}

/** For a delivery that must be refused. */
export function faultUnlessRefused({ status }: Answer): string | null {
  return status >= 200 && status < 400 ? `answered ${status}, and did not refuse it` : null;
}

/** For a request that may be refused but must not cause an error in the receiver. */
export function faultIfBroken({ status }: Answer): string | null {
  return status >= 500 ? `answered ${status}` : null;
}
