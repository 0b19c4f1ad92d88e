/**
 * The whole way of a delivery, on this machine: ack, publish, consume, handle, settle, report. What it costs the server,
 * the broker and Postgres, and how many deliveries a second all of it sustains. With `--before <git ref>` another release
 * takes part in the same rounds, in turns, with processes and databases of its own.
 */
import { sleep, systemClock } from "#platform/clock.ts";

import { openBuiltCopy } from "../support/built-copy.ts";
import { eventually } from "../support/eventually.ts";
import type { BenchOptions, BenchResult, BenchTable } from "./bench-section.ts";
import { postDelivery, type SignedDelivery, signBodies } from "./delivery-sender.ts";
import { median, type Spread, spreadOf } from "./measure.ts";
import { root } from "./next-app.ts";
import { sendOpenLoop } from "./open-loop.ts";
import { messageBody } from "./payloads.ts";
import { show, showSpread } from "./show.ts";
import { startWayProduct, type WayCpu, type WayProduct } from "./way-product.ts";

const roundsUsual = 5;
/** Paced: as on a day when nothing queues up, so that no delivery shares another's reports or statements. */
const paced = { usual: { perSecond: 20, count: 200 }, quick: { perSecond: 20, count: 10 } };
/** Saturated: so many are sent and not handled yet, the next one as soon as one is. */
const saturated = { usual: { count: 1_500, open: 64 }, quick: { count: 50, open: 16 } };
/** Until reports are in that the server holds back for a moment. */
const quietMs = 2_000;
const lookEveryMs = 50;
const handledLimitMs = 120_000;

const limits = { cpuRatio: 0.5, rateRatio: 2 };

interface Rounds {
  cpu: WayCpu[];
  crowdedCpu: WayCpu[];
  perSecond: number[];
}

interface WayFigures {
  by: string;
  cpuMs: Record<keyof WayCpu | "all", Spread>;
  crowdedCpuMs: Record<keyof WayCpu | "all", Spread>;
  perSecond: Spread;
}

export async function benchWay({ rounds: asked, isQuick, before, note }: BenchOptions): Promise<BenchResult> {
  const rounds = asked ?? (isQuick ? 1 : roundsUsual);
  const products: WayProduct[] = [];
  try {
    if (before !== null) products.push(await startBefore(before, note));
    note("Starting server, broker and Postgres …");
    products.push(await startWayProduct("now", root));
    const of = new Map(products.map((product): [WayProduct, Rounds] => [product, empty()]));
    // The first round is thrown away.
    for (let round = 0; round <= rounds; round += 1) {
      note(round === 0 ? "Warming up …" : `The whole way, round ${round} of ${rounds} …`);
      for (const product of round % 2 === 0 ? products : products.toReversed()) {
        const found = await runRound(product, `${round}`, isQuick ? "quick" : "usual");
        if (round > 0) add(of.get(product) ?? empty(), found);
      }
    }
    const figures = [...of].map(([{ name }, found]) => sumUp(name, found));
    const ratios = compare(of, products);
    return {
      figures: { rounds, limits, ways: figures, ratios },
      tables: [draw(figures, rounds), ...(ratios === null ? [] : [drawRatios(ratios)])],
      failures: ratios === null ? [] : judge(ratios),
    };
  } finally {
    for (const product of products.toReversed()) await product.stop();
  }
}

async function startBefore(ref: string, note: (text: string) => void): Promise<WayProduct> {
  const folder = await openBuiltCopy({ ref, note });
  note(`Starting server, broker and Postgres of ${ref} …`);
  return startWayProduct("before", folder);
}

interface RoundFound {
  cpu: WayCpu;
  crowdedCpu: WayCpu;
  perSecond: number;
}

async function runRound(product: WayProduct, round: string, size: "usual" | "quick"): Promise<RoundFound> {
  const { perSecond, count } = paced[size];
  const slow = await signMany(`${round}.paced`, count);
  const cpu = await costOf(product, count, () =>
    sendOpenLoop({ ratePerSecond: perSecond, count, random: () => 0.5, send: (index) => post(product, slow, index) }),
  );
  const crowd = saturated[size];
  const many = await signMany(`${round}.saturated`, crowd.count);
  let tookMs = Number.NaN;
  const crowdedCpu = await costOf(product, crowd.count, async () => {
    tookMs = await saturate(product, many, crowd.open);
  });
  return { cpu, crowdedCpu, perSecond: (crowd.count * 1_000) / tookMs };
}

/** CPU milliseconds for one of so many deliveries, until all of them are handled and reported. */
async function costOf(product: WayProduct, count: number, send: () => Promise<unknown>): Promise<WayCpu> {
  const handledBefore = await product.countHandled();
  const usage = await product.readCpu();
  await send();
  await untilHandled(product, handledBefore + count);
  await sleep(systemClock, quietMs);
  const after = await product.readCpu();
  const each = (name: keyof WayCpu) => (after[name] - usage[name]) / count;
  return { server: each("server"), broker: each("broker"), postgres: each("postgres") };
}

function untilHandled(product: WayProduct, handled: number): Promise<true> {
  const isHandled = async () => {
    if ((await product.countHandled()) >= handled) return true;
    await sleep(systemClock, lookEveryMs);
    return false;
  };
  return eventually(`"${product.name}" has handled all deliveries`, isHandled, handledLimitMs);
}

/** Milliseconds until all are handled, with never more than `openMax` sent and not handled. */
async function saturate(product: WayProduct, deliveries: readonly SignedDelivery[], openMax: number): Promise<number> {
  const handledBefore = await product.countHandled();
  const startedMs = performance.now();
  const sending: Promise<void>[] = [];
  let handled = 0;
  while (handled < deliveries.length) {
    const sent = sending.length;
    const room = Math.min(openMax - (sent - handled), deliveries.length - sent);
    for (let at = 0; at < room; at += 1) sending.push(post(product, deliveries, sent + at));
    await sleep(systemClock, lookEveryMs);
    handled = (await product.countHandled()) - handledBefore;
    if (performance.now() - startedMs > handledLimitMs) throw new Error(`"${product.name}" handles no more`);
  }
  await Promise.all(sending);
  return performance.now() - startedMs;
}

function signMany(run: string, count: number): Promise<SignedDelivery[]> {
  return signBodies(Array.from({ length: count }, (_, index) => messageBody(`${run}.${index}`)));
}

async function post({ webhookUrl }: WayProduct, deliveries: readonly SignedDelivery[], index: number): Promise<void> {
  const delivery = deliveries[index];
  if (delivery !== undefined) await postDelivery(webhookUrl, delivery);
}

function empty(): Rounds {
  return { cpu: [], crowdedCpu: [], perSecond: [] };
}

function add(rounds: Rounds, { cpu, crowdedCpu, perSecond }: RoundFound): void {
  rounds.cpu.push(cpu);
  rounds.crowdedCpu.push(crowdedCpu);
  rounds.perSecond.push(perSecond);
}

const allOf = ({ server, broker, postgres }: WayCpu) => server + broker + postgres;

function sumUp(by: string, { cpu, crowdedCpu, perSecond }: Rounds): WayFigures {
  const spreads = (costs: readonly WayCpu[]) => ({
    server: spreadOf(costs.map(({ server }) => server)),
    broker: spreadOf(costs.map(({ broker }) => broker)),
    postgres: spreadOf(costs.map(({ postgres }) => postgres)),
    all: spreadOf(costs.map(allOf)),
  });
  return { by, cpuMs: spreads(cpu), crowdedCpuMs: spreads(crowdedCpu), perSecond: spreadOf(perSecond) };
}

interface Ratios {
  cpu: number;
  crowdedCpu: number;
  perSecond: number;
}

/** Medians of the ratios within a round. */
function compare(of: ReadonlyMap<WayProduct, Rounds>, products: readonly WayProduct[]): Ratios | null {
  const [before, now] = products.map((product) => of.get(product));
  if (before === undefined || now === undefined) return null;
  const ratio = (figure: (rounds: Rounds) => number[]) =>
    median(figure(now).map((value, round) => value / (figure(before)[round] ?? Number.NaN)));
  return {
    cpu: ratio(({ cpu }) => cpu.map(allOf)),
    crowdedCpu: ratio(({ crowdedCpu }) => crowdedCpu.map(allOf)),
    perSecond: ratio(({ perSecond }) => perSecond),
  };
}

function judge({ cpu, perSecond }: Ratios): string[] {
  const findings: [boolean, string][] = [
    [cpu <= limits.cpuRatio, `The whole way of a delivery takes ${show(cpu)} times the CPU time of before`],
    [perSecond >= limits.rateRatio, `It sustains ${show(perSecond)} times the deliveries a second of before`],
  ];
  return findings.flatMap(([holds, text]) => (holds ? [] : [text]));
}

function draw(figures: readonly WayFigures[], rounds: number): BenchTable {
  const { perSecond, count } = paced.usual;
  const crowd = saturated.usual;
  return {
    title:
      `The whole way of a delivery: CPU ms each at ${perSecond}/s (${count}), and with ${crowd.open} open ` +
      `(${crowd.count}); medians of ${rounds} rounds (their range)`,
    head: ["", "server", "broker", "Postgres", "all", "all, saturated", "deliveries/s, saturated"],
    rows: figures.map(({ by, cpuMs: { server, broker, postgres, all }, crowdedCpuMs, perSecond: rate }) => [
      by,
      ...[server, broker, postgres, all, crowdedCpuMs.all, rate].map(showSpread),
    ]),
  };
}

function drawRatios({ cpu, crowdedCpu, perSecond }: Ratios): BenchTable {
  return {
    title: "Now against before: medians of the ratios within a round",
    head: ["", "measured", "required"],
    rows: [
      ["CPU time", show(cpu), `at most ${limits.cpuRatio}`],
      ["CPU time, saturated", show(crowdedCpu), ""],
      ["deliveries/s, saturated", show(perSecond), `at least ${limits.rateRatio}`],
    ],
  };
}
