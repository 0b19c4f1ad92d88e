/**
 * The embedded QStash beside the queue in Postgres: how long a durable ack takes, and what a delivery costs until it is
 * handled. In turns, each with server, broker and Postgres of its own.
 */
import { sleep, systemClock } from "#platform/clock.ts";

import { openBuiltCopy } from "../support/built-copy.ts";
import { eventually } from "../support/eventually.ts";
import type { BenchOptions, BenchResult } from "./bench-section.ts";
import { postDelivery, signBodies } from "./delivery-sender.ts";
import { quantile, spreadOf } from "./measure.ts";
import { root } from "./next-app.ts";
import { sendOpenLoop } from "./open-loop.ts";
import { messageBody } from "./payloads.ts";
import { showSpread } from "./show.ts";
import { startWayProduct, type WayProduct } from "./way-product.ts";

const roundsUsual = 3;
const usual = { ratePerSecond: 20, count: 200 };
const quick = { ratePerSecond: 20, count: 10 };
/** Until reports are in, and Postgres has published its counts. */
const quietMs = 3_000;
const lookEveryMs = 50;
const handledLimitMs = 120_000;

interface Found {
  ackMs: number;
  serverMs: number;
  brokerMs: number;
  postgresMs: number;
  commits: number;
}

export async function benchQueues({ rounds: asked, isQuick, note }: BenchOptions): Promise<BenchResult> {
  const rounds = asked ?? (isQuick ? 1 : roundsUsual);
  const folder = await openBuiltCopy({ queue: "postgres", note });
  const products: WayProduct[] = [];
  try {
    note("Starting servers, brokers and Postgres …");
    const durable = { ACK_MODE: "durable", PROBE_PAIRS_PER_DAY: "0" };
    products.push(await startWayProduct("embedded QStash", root, durable));
    products.push(await startWayProduct("Postgres", folder, { ...durable, QUEUE: "postgres" }));
    const found = new Map(products.map((product): [WayProduct, Found[]] => [product, []]));
    // The first round is thrown away.
    for (let round = 0; round <= rounds; round += 1) {
      note(round === 0 ? "Warming up …" : `Queues, round ${round} of ${rounds} …`);
      for (const product of round % 2 === 0 ? products : products.toReversed()) {
        const one = await runRound(product, `queues.${round}`, isQuick ? quick : usual);
        if (round > 0) found.get(product)?.push(one);
      }
    }
    return sumUp(found, rounds);
  } finally {
    for (const product of products.toReversed()) await product.stop();
  }
}

async function runRound(product: WayProduct, run: string, { ratePerSecond, count }: typeof usual): Promise<Found> {
  const deliveries = await signBodies(Array.from({ length: count }, (_, index) => messageBody(`${run}.${index}`)));
  const handledBefore = await product.countHandled();
  const [usage, commits] = [await product.readCpu(), await product.countCommits()];
  const ackMs: number[] = [];
  await sendOpenLoop({
    ratePerSecond,
    count,
    random: () => 0.5,
    async send(index) {
      const delivery = deliveries[index];
      if (delivery === undefined) return;
      const startedMs = performance.now();
      await postDelivery(product.webhookUrl, delivery);
      ackMs.push(performance.now() - startedMs);
    },
  });
  const isHandled = async () => {
    if ((await product.countHandled()) >= handledBefore + count) return true;
    await sleep(systemClock, lookEveryMs);
    return false;
  };
  await eventually(`"${product.name}" has handled all deliveries`, isHandled, handledLimitMs);
  await sleep(systemClock, quietMs);
  const [after, commitsAfter] = [await product.readCpu(), await product.countCommits()];
  return {
    ackMs: quantile(ackMs, 0.5),
    serverMs: (after.server - usage.server) / count,
    brokerMs: (after.broker - usage.broker) / count,
    postgresMs: (after.postgres - usage.postgres) / count,
    commits: (commitsAfter - commits) / count,
  };
}

function sumUp(found: ReadonlyMap<WayProduct, Found[]>, rounds: number): BenchResult {
  const names = ["ackMs", "serverMs", "brokerMs", "postgresMs", "commits"] as const;
  const figures = [...found].map(([{ name }, all]) => ({
    by: name,
    ...Object.fromEntries(names.map((figure) => [figure, spreadOf(all.map((one) => one[figure]))])),
  }));
  return {
    figures: { rounds, queues: figures },
    tables: [
      {
        title: `Queues, ACK_MODE=durable, ${usual.ratePerSecond} deliveries/s: medians of ${rounds} rounds (their range), for each delivery`,
        head: ["", "ack p50, ms", "server CPU, ms", "broker CPU, ms", "Postgres CPU, ms", "commits in the store"],
        rows: [...found].map(([{ name }, all]) => [
          name,
          ...names.map((figure) => showSpread(spreadOf(all.map((one) => one[figure])))),
        ]),
      },
    ],
    failures: [],
  };
}
