import { randomUUID } from "node:crypto";

import type { Database } from "#store/connection/database.ts";

/** A day of traffic and probes that is loaded for a page. */
export interface SimulatedDay {
  nowMs: number;
  /** The edge's times are Node's times by this factor, in distribution. */
  edgeFactor: number;
  /** Pairs of probes, four to a burst. */
  pairs: number;
}

const hourMs = 3_600_000;
const hours = 24;
const deliveriesPerHour = 30;
const regions = ["fra1", "iad1"];
/** Medians of Node in milliseconds. */
const medians = { ack: 4, publish: 40, queue: 110, handler: 20, endToEnd: 900 };

/** Appends what the deliveries and probes of the last 24 hours would have measured; the same at each call. */
export async function loadDay(db: Database, { nowMs, edgeFactor, pairs }: SimulatedDay): Promise<void> {
  const random = createRandom(7);
  const spread = () => Math.exp(0.4 * random.normal());
  const measurements = Array.from({ length: hours * deliveriesPerHour * 2 }, (_, index) => {
    const runtime = index % 2 === 0 ? "edge" : "nodejs";
    const factor = runtime === "edge" ? edgeFactor : 1;
    const cold = random.uniform() < 0.1;
    // The second deployment came six hours ago.
    const ageMs = random.uniform() * (hours - 1) * hourMs;
    const times = Object.entries(medians).map(([metric, ms]) => {
      const time = [metric, ms * factor * spread() * (cold ? 8 : 1), 1];
      return metric === "handler" ? [...time, "message"] : time;
    });
    const isLost = index === 100;
    return {
      at: new Date(nowMs - ageMs),
      runtime,
      region: regions[index % 3 === 0 ? 1 : 0],
      deployment: ageMs > 6 * hourMs ? "dpl_before" : "dpl_after",
      cold,
      probe: false,
      facts: {
        times: index % 200 === 0 ? [...times, ["queue", -3 - random.uniform(), 1]] : times,
        counts: [
          ["deliveries", 1],
          ["outcome", 1, isLost ? "lost" : "published"],
          ...(isLost ? [["error", 1, "PUBLISH_TIMEOUT"]] : []),
        ],
      },
    };
  });
  const bursts = Array.from({ length: Math.ceil(pairs / 4) }, () => randomUUID());
  const probes = Array.from({ length: pairs }, (_, index) => {
    const burst = Math.floor(index / 4);
    return {
      id: randomUUID(),
      at: new Date(nowMs - 60_000 - (1 - burst / bursts.length) * 5 * hourMs),
      burst: bursts[burst],
      edge_ms: 180 * edgeFactor * spread(),
      node_ms: 180 * spread(),
      first: random.uniform() < 0.5 ? "edge" : "nodejs",
    };
  });
  const place = { region: "fra1", deployment: "dpl_after", cold: false, probe: true };
  const probed = probes.flatMap(({ at, edge_ms: edgeMs, node_ms: nodeMs }) => [
    { ...place, at, runtime: "edge", facts: { times: [["probe", edgeMs, 1]] } },
    { ...place, at, runtime: "nodejs", facts: { times: [["probe", nodeMs, 1]] } },
  ]);
  await db.$client.query(
    `insert into relay.measurements (at, runtime, region, deployment, cold, probe, facts)
    select at, runtime, region, deployment, cold, probe, facts
    from json_to_recordset($1::json)
      as m (at timestamptz, runtime text, region text, deployment text, cold boolean, probe boolean, facts json)`,
    [JSON.stringify([...measurements, ...probed])],
  );
  await db.$client.query(
    `insert into relay.probe_pairs (id, at, burst, vantage, deployment, edge_ms, node_ms, cold, first, canary, idle_edge_ms,
      idle_node_ms)
    select id, at, burst, 'fra1', 'dpl_after', edge_ms, node_ms, 'none', first, false, 60000, 60000
    from json_to_recordset($1::json)
      as p (id uuid, at timestamptz, burst uuid, edge_ms float8, node_ms float8, first text)`,
    [JSON.stringify(probes)],
  );
}

/** Numbers that are the same in each run: a linear congruential generator, and Box and Muller's transform of it. */
function createRandom(seed: number) {
  let state = seed;
  const uniform = () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return (state + 0.5) / 2 ** 32;
  };
  return { uniform, normal: () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()) };
}
