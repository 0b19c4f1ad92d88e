/**
 * Whether the server gives back what an outage of QStash takes of its memory: each forward holds its delivery for the
 * whole budget of the product's defaults, and ends in the fallback.
 */
import { systemClock } from "#platform/clock.ts";

import { eventually } from "../support/eventually.ts";
import type { BenchOptions, BenchResult, BenchTable } from "./bench-section.ts";
import { postAll, postDelivery, type SignedDelivery, signDelivery } from "./delivery-sender.ts";
import { type Rig, withRig } from "./rig.ts";
import type { BenchServer, ServerUsage } from "./server-process.ts";

/** As fast as the server takes them, some hundred forwards being under way; half to each route. */
const atOnce = 8;
const usual = { warmUp: 2_000, deliveries: 20_000 };
const quick = { warmUp: 100, deliveries: 100 };

/**
 * For what is still held after a collection: JavaScript's heap and its buffers. The resident size is shown beside it but
 * not judged: of the same process, with the same 47 MB held, it was anything between 148 and 190 MB, by which pages V8
 * and the allocator had happened to keep.
 */
const heldRatioMax = 1.2;

type Memory = Pick<ServerUsage, "rssBytes" | "heldBytes">;

interface Figures {
  deliveries: number;
  /** After the warm-up, which had been against the same silence. */
  start: Memory;
  /** The most that was seen meanwhile. */
  peak: Memory;
  end: Memory;
  heldRatio: number;
  rssRatio: number;
}

export async function benchMemory({ isQuick, note }: BenchOptions): Promise<BenchResult> {
  const { warmUp, deliveries } = isQuick ? quick : usual;
  const { start, peak, end } = await withRig(note, async (rig) => {
    note("Starting the server …");
    const server = await rig.startRelay({ nodeArgs: ["--expose-gc"] });
    const delivery = await signDelivery(1);
    await rig.sink.setDelay(null);
    note(`Warming up with ${warmUp} deliveries while QStash is silent …`);
    const before = await outlast(warmUp, server, delivery, rig, () => {});
    note(`Sending ${deliveries} deliveries while QStash is silent …`);
    const after = await outlast(deliveries, server, delivery, rig, note);
    return { start: before.rest, ...after, end: after.rest };
  });
  const figures: Figures = {
    deliveries,
    start,
    peak,
    end,
    heldRatio: end.heldBytes / start.heldBytes,
    rssRatio: end.rssBytes / start.rssBytes,
  };
  const isOver = !(figures.heldRatio <= heldRatioMax);
  return {
    figures,
    tables: [draw(figures)],
    failures: isOver ? [`After ${deliveries} deliveries ${figures.heldRatio.toFixed(2)} times the memory is held`] : [],
  };
}

const askEvery = 500;

/** Sends so many and waits until all of them have come to their end; the memory at its highest and after that. */
async function outlast(
  count: number,
  server: BenchServer,
  delivery: SignedDelivery,
  { sink }: Rig,
  note: (text: string) => void,
): Promise<{ peak: Memory; rest: Memory }> {
  const peak: Memory = { rssBytes: 0, heldBytes: 0 };
  await postAll(count, atOnce, async (index) => {
    const route = index % 2 === 0 ? "" : "/node";
    await postDelivery(`${server.baseUrl}/api/webhooks/instagram${route}`, delivery);
    if ((index + 1) % askEvery !== 0 && index + 1 < count) return;
    const { rssBytes, heldBytes } = await server.readUsage();
    peak.rssBytes = Math.max(peak.rssBytes, rssBytes);
    peak.heldBytes = Math.max(peak.heldBytes, heldBytes);
    if ((index + 1) % (askEvery * 10) === 0) note(`  ${index + 1} acked`);
  });
  await sink.untilQuiet();
  return { peak, rest: await readSettled(server) };
}

/** Connections time out and are collected, pages go back: it is over when nothing has become less for so long. */
const settledMs = 5_000;
const settleLimitMs = 60_000;

async function readSettled(server: BenchServer): Promise<Memory> {
  let least: Memory = { rssBytes: Infinity, heldBytes: Infinity };
  let leastAtMs = systemClock.monotonicMs();
  const hasSettled = async () => {
    const { rssBytes, heldBytes } = await server.readUsage({ collect: true });
    // A collection more or less moves it by some kilobytes.
    if (rssBytes < least.rssBytes * 0.99 || heldBytes < least.heldBytes * 0.99) leastAtMs = systemClock.monotonicMs();
    least = { rssBytes: Math.min(rssBytes, least.rssBytes), heldBytes: Math.min(heldBytes, least.heldBytes) };
    return systemClock.monotonicMs() - leastAtMs >= settledMs;
  };
  await eventually("the server's memory no longer becomes less", hasSettled, settleLimitMs);
  return least;
}

function draw({ deliveries, start, peak, end, heldRatio, rssRatio }: Figures): BenchTable {
  const megabytes = (bytes: number) => (bytes / 1_000_000).toFixed(1);
  const row = (what: string, key: keyof Memory, ratio: number, max: number | null) => [
    what,
    ...[start, peak, end].map((memory) => megabytes(memory[key])),
    ratio.toFixed(2),
    max,
  ];
  return {
    title: `Memory before and after ${deliveries} deliveries while QStash was silent, both after a collection; MB`,
    head: ["", "start", "highest", "end", "times", "at most"],
    rows: [
      row("held (heap and buffers)", "heldBytes", heldRatio, heldRatioMax),
      row("resident", "rssBytes", rssRatio, null),
    ],
  };
}
