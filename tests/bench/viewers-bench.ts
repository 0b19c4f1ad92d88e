/**
 * Whether people who look slow ingestion down: QStash's deliveries to the built server at a steady rate, on a store with so
 * many rows, in turns without viewers, with three who have the heaviest page open, which refreshes itself, and with three
 * who load it again as soon as it is there.
 */
import { randomUUID } from "node:crypto";

import { aborted } from "#local/aborted.ts";
import { settleWithin, systemClock } from "#platform/clock.ts";
import { encodeBatches } from "#queue/encode-batch.ts";
import { qstashBytesMax } from "#queue/qstash/qstash-publisher.ts";
import { migrateStore } from "#store/migrate.ts";

import { signDelivery as signQstashDelivery, signingKeys } from "../support/qstash-token.ts";
import type { BenchOptions, BenchResult } from "./bench-section.ts";
import { median, quantile, spreadOf } from "./measure.ts";
import { sendOpenLoop } from "./open-loop.ts";
import { type Rig, withRig } from "./rig.ts";
import { show, showSpread } from "./show.ts";
import { openBenchPostgres } from "./store-databases.ts";
import { makeRowsNow, randomDeliveryId, randomEvent } from "./store-rows.ts";

const roundsUsual = 5;
const rowsUsual = 1_000_000;
const viewersMax = 3;
const ratePerSecond = 10;
const usual = { sliceMs: 15_000 };
const quick = { rows: 2_000, sliceMs: 1_000 };
const ratioMax = 1.5;

const page = "/dashboard?window=30d";
const consumerPath = "/api/qstash/instagram-ingestion";
const opsToken = "ops-token-of-thirty-two-characters";
/** On the server's side a read ends after five seconds. */
const pageLimitMs = 30_000;

interface Slice {
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
  /** Of the page; none without viewers. */
  pageMs: number[];
  failedPages: number;
}

/** How long a viewer waits before the next load; an open page waits 5 s. Null without viewers. */
const pausesMs = { none: null, "page open": 5_000, "reloading it": 0 } as const;
type Turn = keyof typeof pausesMs;
const turns = Object.keys(pausesMs) as Turn[];
type Slices = Record<Turn, Slice[]>;

export async function benchViewers({
  rounds: asked,
  rows: askedRows,
  isQuick,
  note,
}: BenchOptions): Promise<BenchResult> {
  const rounds = asked ?? (isQuick ? 1 : roundsUsual);
  const rows = askedRows ?? (isQuick ? quick.rows : rowsUsual);
  const { sliceMs } = isQuick ? quick : usual;
  const postgres = await openBenchPostgres();
  try {
    const url = await postgres.create("viewers");
    await migrateStore(url);
    const client = await postgres.connect(url);
    await makeRowsNow(client, rows, (made) => made % 200_000 === 0 && note(`Made ${made} of ${rows} rows …`));
    const slices: Slices = { none: [], "page open": [], "reloading it": [] };
    await withRig(note, async (rig) => {
      note("Starting the server …");
      const consumer = await startConsumer(rig, url);
      for (let round = 0; round <= rounds; round += 1) {
        note(round === 0 ? "Warming up …" : `With and without viewers, round ${round} of ${rounds} …`);
        for (const turn of round % 2 === 0 ? turns : turns.toReversed()) {
          const slice = await runSlice(consumer, pausesMs[turn], sliceMs);
          if (round > 0) slices[turn].push(slice);
        }
      }
    });
    return report(slices, { rounds, rows });
  } finally {
    await postgres.remove();
  }
}

interface Consumer {
  ingest(): Promise<void>;
  /** Whether the page came. */
  view(): Promise<boolean>;
}

async function startConsumer({ startRelay }: Rig, databaseUrl: string): Promise<Consumer> {
  const { baseUrl } = await startRelay({
    env: (ownUrl) => ({
      QSTASH_CURRENT_SIGNING_KEY: signingKeys.currentSigningKey,
      QSTASH_NEXT_SIGNING_KEY: signingKeys.nextSigningKey,
      OPS_TOKEN: opsToken,
      DATABASE_URL: databaseUrl,
      RELAY_URL: ownUrl,
    }),
  });
  const cookie = await signIn(baseUrl);
  const to = `${baseUrl}${consumerPath}`;
  return {
    async ingest() {
      const [batch] = encodeBatches(facts(), [randomEvent()], qstashBytesMax);
      if (batch === undefined) throw new Error("There is no batch");
      const { body } = batch;
      const response = await fetch(to, {
        method: "POST",
        body,
        headers: {
          "content-type": "application/json",
          "upstash-message-id": `msg_${randomUUID()}`,
          "upstash-retried": "0",
          "upstash-signature": await signQstashDelivery({ sub: to, body }),
        },
      });
      const text = await response.text();
      if (response.status !== 200) throw new Error(`The consumer answered ${response.status}: ${text}`);
    },
    async view() {
      const response = await fetch(`${baseUrl}${page}`, {
        headers: { cookie },
        redirect: "manual",
        signal: AbortSignal.timeout(pageLimitMs),
      });
      const text = await response.text();
      if (response.status >= 300 && response.status < 500) throw new Error(`The page answered ${response.status}`);
      return response.status === 200 && !text.includes("cannot read the store");
    },
  };
}

function facts() {
  const nowMs = Date.now();
  return {
    id: randomDeliveryId(),
    runtime: "edge",
    region: null,
    coldStart: false,
    receivedAtMs: nowMs,
    bodyBytes: 600,
    secretIndex: 0,
    probe: false,
    deployment: null,
    ackMs: 2.5,
    publishStartedAtMs: nowMs,
  } as const;
}

async function runSlice({ ingest, view }: Consumer, pauseMs: number | null, sliceMs: number): Promise<Slice> {
  const pageMs: number[] = [];
  let failedPages = 0;
  const over = new AbortController();
  const isOver = aborted(over.signal);
  const look = async (viewer: number) => {
    // They did not open it at the same moment.
    await settleWithin(systemClock, ((pauseMs ?? 0) * viewer) / viewersMax, isOver);
    while (!over.signal.aborted) {
      const beganMs = performance.now();
      if (await view()) pageMs.push(performance.now() - beganMs);
      else failedPages += 1;
      await settleWithin(systemClock, pauseMs ?? 0, isOver);
    }
  };
  const viewers = pauseMs === null ? 0 : viewersMax;
  const looking = Promise.all(Array.from({ length: viewers }, (_, viewer) => look(viewer)));
  try {
    const count = Math.round((sliceMs * ratePerSecond) / 1_000);
    const { latenciesMs } = await sendOpenLoop({ ratePerSecond, count, random: () => 0.5, send: ingest });
    return {
      p50Ms: median(latenciesMs),
      p99Ms: quantile(latenciesMs, 0.99),
      maxMs: Math.max(...latenciesMs),
      pageMs,
      failedPages,
    };
  } finally {
    over.abort();
    await looking;
  }
}

function report(slices: Slices, { rounds, rows }: { rounds: number; rows: number }): BenchResult {
  const ratioTo = (turn: Turn) =>
    median(slices[turn].map(({ p50Ms }, round) => p50Ms / (slices.none[round]?.p50Ms ?? Number.NaN)));
  const ratios = { "page open": ratioTo("page open"), "reloading it": ratioTo("reloading it") };
  const row = (turn: Turn) => [
    turn,
    ...(["p50Ms", "p99Ms", "maxMs"] as const).map((figure) =>
      showSpread(spreadOf(slices[turn].map((slice) => slice[figure]))),
    ),
    turn === "none" ? null : show(ratios[turn]),
    turn === "page open" ? `at most ${ratioMax}` : null,
    showOrNone(slices[turn].flatMap(({ pageMs }) => pageMs)),
    slices[turn].reduce((sum, { failedPages }) => sum + failedPages, 0),
  ];
  return {
    figures: { rounds, rows, slices, ratios, ratioMax },
    tables: [
      {
        title:
          `Ingestion at ${ratePerSecond} deliveries/s with ${rows} rows, beside ${viewersMax} viewers of ${page}: ` +
          `medians of ${rounds} rounds (their range)`,
        head: ["viewers", "p50 ms", "p99 ms", "max ms", "p50, times none", "", "page ms", "failed pages"],
        rows: turns.map(row),
      },
    ],
    failures:
      ratios["page open"] <= ratioMax
        ? []
        : [`With ${viewersMax} viewers ingestion takes ${show(ratios["page open"])} times as long`],
  };
}

function showOrNone(values: readonly number[]): string | null {
  return values.length === 0 ? null : show(median(values));
}

/** The session cookie of a sign-in with the token. */
async function signIn(baseUrl: string): Promise<string> {
  const body = new URLSearchParams({ token: opsToken });
  const response = await fetch(`${baseUrl}/dashboard/sign-in`, { method: "POST", body, redirect: "manual" });
  return response.headers.get("set-cookie")?.split(";")[0] ?? "";
}
