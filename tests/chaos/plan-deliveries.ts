export interface PlannedDelivery {
  path: string;
  /** As Meta would write it; the same bytes whenever it is sent again. */
  body: Uint8Array<ArrayBuffer>;
  /** Of the events it brings: nobody else brings them. */
  keys: readonly string[];
}

const account = "17841400000000001";
const paths = ["/api/webhooks/instagram", "/api/webhooks/instagram/node"] as const;

/** The keys of a run's events begin so. */
export function keyPrefix(run: string): string {
  return `message:${account}:${run}.`;
}

/** A run's deliveries, to the edge route and its twin in turns: most bring one message, some two or three. */
export function planDeliveries(
  run: string,
  count: number,
  { random, nowMs }: { random: () => number; nowMs: number },
): PlannedDelivery[] {
  return Array.from({ length: count }, (_, index): PlannedDelivery => {
    const events = random() < 0.8 ? 1 : random() < 0.5 ? 2 : 3;
    const names = Array.from({ length: events }, (__, at) => `${index}.${at}`);
    const messaging = names.map((name) => ({
      sender: { id: "1000000000000101" },
      recipient: { id: account },
      timestamp: nowMs,
      message: { mid: `${run}.${name}`, text: "Hello, is this still available?" },
    }));
    return {
      path: paths[index % paths.length] ?? paths[0],
      body: new TextEncoder().encode(
        JSON.stringify({ object: "instagram", entry: [{ id: account, time: nowMs, messaging }] }),
      ),
      keys: names.map((name) => `${keyPrefix(run)}${name}`),
    };
  });
}
