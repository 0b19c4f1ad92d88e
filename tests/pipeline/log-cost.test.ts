import { expect, onTestFinished, test } from "vitest";

import { eventually } from "../support/eventually.ts";
import { startTestRelay } from "../support/relay.ts";

const linesMax = 4;
const bytesMax = 1_000;

const body = (mid: string) =>
  JSON.stringify({
    object: "instagram",
    entry: [{ id: "17841400000000001", time: Date.now(), messaging: [{ sender: { id: "2" }, message: { mid } }] }],
  });

test("a delivery costs at most four lines and 1 kB of log, and with LOG_LEVEL=debug a line for every step", async () => {
  const lines: string[] = [];
  const relay = await startTestRelay({}, (line) => {
    // The test asks for the delivery before it is stored, which is refused.
    if (!line.includes('"event":"ops.')) lines.push(line);
  });
  onTestFinished(() => relay.stop());
  const eventsOf = (written: readonly string[]) =>
    written.map((line) => (JSON.parse(line) as { event: string }).event).toSorted();

  /** The lines of one delivery on its whole way, its report included, without those of the first, which opens connections. */
  async function linesOf(route: "edge" | "node", mid: string, until: string): Promise<string[]> {
    const before = lines.length;
    const response = await relay.deliver(route, body(mid));
    await relay.journey(response.headers.get("x-delivery-id") ?? "");
    await eventually(`${until} is written`, () => lines.slice(before).some((line) => line.includes(until)));
    return lines.slice(before);
  }

  for (const route of ["edge", "node"] as const) {
    await linesOf(route, `first-${route}`, "handlers.finished");
    const written = await linesOf(route, `second-${route}`, "handlers.finished");
    expect(eventsOf(written)).toEqual(["forward.settled", "handlers.finished", "ingestion.committed"]);
    expect(written.length).toBeLessThanOrEqual(linesMax);
    expect(Buffer.byteLength(written.join("\n"))).toBeLessThanOrEqual(bytesMax);
    expect(new Set(written.map((line) => (JSON.parse(line) as { deliveryId: string }).deliveryId)).size).toBe(1);
  }

  await relay.redeploy({ LOG_LEVEL: "debug" });
  const steps = eventsOf(await linesOf("edge", "debug", "handlers.finished"));
  for (const step of [
    "delivery.received",
    "delivery.acked",
    "forward.started",
    "publish.attempt_started",
    "publish.accepted",
    "forward.settled",
    "ingestion.received",
    "ingestion.committed",
    "handlers.finished",
  ]) {
    expect(steps).toContain(step);
  }
}, 60_000);
