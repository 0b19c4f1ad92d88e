export interface PlannedDelivery {
  path: string;
  /** As Meta would write it; the same bytes whenever it is sent again. */
  body: Uint8Array<ArrayBuffer>;
  /** Of the events it brings: nobody else brings them. */
  keys: readonly string[];
}

const account = "17841400000000001";
const paths = ["/api/webhooks/instagram", "/api/webhooks/instagram/node"] as const;

/** The kinds of a run's events: every tenth is a postback. */
function kindOf(name: string): "message" | "postback" {
  return name.endsWith("7.0") ? "postback" : "message";
}

/** Of a hundred people: events of one conversation run one after another. */
function sender(index: number): string {
  return `1000000000000${100 + (index % 100)}`;
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
    const messaging = names.map((name) => {
      const item = { sender: { id: sender(index) }, recipient: { id: account }, timestamp: nowMs };
      const mid = `${run}.${name}`;
      return kindOf(name) === "postback"
        ? { ...item, postback: { mid, title: "Sizes", payload: "SIZES" } }
        : { ...item, message: { mid, text: "Hello, is this still available?" } };
    });
    return {
      path: paths[index % paths.length] ?? paths[0],
      body: new TextEncoder().encode(
        JSON.stringify({ object: "instagram", entry: [{ id: account, time: nowMs, messaging }] }),
      ),
      keys: names.map((name) => `${kindOf(name)}:${account}:${run}.${name}`),
    };
  });
}
