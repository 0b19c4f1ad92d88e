import { expect, test } from "vitest";

import type { PlannedExperiment, StartedRun } from "#lifecycle-experiment/experiment.ts";
import { startExperiment, type StartExperimentOptions } from "#lifecycle-experiment/start-experiment.ts";
import { timingDefault } from "#lifecycle-experiment/strategies.ts";
import { verifyInternal } from "#platform/internal-signature.ts";

import { eventually } from "../support/eventually.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { createRecordingLog } from "../support/recording-log.ts";

const startMs = 1_700_000_000_000;
const answers: Record<string, () => Promise<Response>> = {
  setImmediate: async () => Response.json({ status: "unavailable", startedAtMs: startMs + 1, region: "fra1" }),
  // A time from another deployment.
  "process.nextTick": async () => Response.json({ status: "started", startedAtMs: 8.64e15, region: null }),
  setTimeout: async () => new Response("<h1>Log in to Vercel</h1>"),
  "floating promise": async () => new Response(null, { status: 401 }),
  "after()": () => Promise.reject(new TypeError("fetch failed")),
  waitUntil: async () => Response.json({ status: "started", startedAtMs: startMs + 1, region: null }),
};

function setUp(overrides: Pick<StartExperimentOptions, "store" | "fetch">) {
  const clock = createManualClock(startMs);
  const { log, lines } = createRecordingLog();
  const start = () =>
    startExperiment({
      id: "e_1",
      timing: timingDefault,
      relayUrl: "https://relay.example",
      paths: { edge: "/edge", nodejs: "/node" },
      secret: "relay-secret",
      bypassSecret: "bypass",
      clock,
      log,
      ...overrides,
    });
  return { clock, lines, start };
}

test("a store that fails rejects the experiment, after every run was answered", async () => {
  let saves = 0;
  const { start } = setUp({
    store: {
      create: async () => {},
      saveStart: async () => {
        saves += 1;
        if (saves === 1) throw new Error("the database is away");
      },
    },
    fetch: async () => Response.json({ status: "started", startedAtMs: startMs, region: null }),
  });
  await expect(start()).rejects.toThrow("the database is away");
  expect(saves).toBe(16);
});

test("each run is started by a signed request of its own, and every kind of answer is a result", async () => {
  const created: PlannedExperiment[] = [];
  const saved: StartedRun[] = [];
  const asked: string[] = [];
  const { clock, lines, start } = setUp({
    store: {
      create: async (experiment) => void created.push(experiment),
      saveStart: async (_id, run) => void saved.push(run),
    },
    fetch: async (input, init) => {
      const body = init?.body as Uint8Array<ArrayBuffer>;
      const headers = new Headers(init?.headers);
      const purpose = `POST ${new URL(input as string).pathname}`;
      const signature = headers.get("x-relay-signature");
      expect(await verifyInternal("relay-secret", purpose, body, signature, clock.nowMs())).toBe(true);
      expect(headers.get("x-vercel-protection-bypass")).toBe("bypass");
      expect(created).toHaveLength(1);
      const { strategy } = JSON.parse(new TextDecoder().decode(body)) as { strategy: string };
      asked.push(`${new URL(input as string).pathname} ${strategy}`);
      // The other strategies are never answered.
      const silence = new Promise<Response>((_resolve, reject) => {
        init?.signal?.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
      });
      return (await answers[strategy]?.()) ?? silence;
    },
  });
  const started = start();
  await eventually("all sixteen runs are asked for", () => asked.length === 16);
  await clock.advance(8_000);
  const { runs } = await started;

  expect(runs.map(({ runtime, strategy, status }) => `${runtime} ${strategy}: ${status}`)).toEqual(
    ["edge", "nodejs"].flatMap((runtime) => [
      `${runtime} setImmediate: unavailable`,
      `${runtime} process.nextTick: failed`,
      `${runtime} setTimeout: failed`,
      `${runtime} floating promise: failed`,
      `${runtime} await, 3 s race: failed`,
      `${runtime} await, 3 s race, slow work: failed`,
      `${runtime} after(): failed`,
      `${runtime} waitUntil: started`,
    ]),
  );
  expect(new Set(asked).size).toBe(runs.length);
  expect(saved).toHaveLength(runs.length);
  expect(runs.at(-1)).toMatchObject({ dueAfterMs: 1_000, startedAtMs: startMs + 1, region: null });
  const failed = runs.filter(({ status }) => status === "failed").map(({ strategy }) => strategy);
  expect(new Set(lines.map(({ event }) => event))).toEqual(new Set(["lifecycle.run_failed"]));
  expect(lines.map(({ strategy }) => String(strategy)).toSorted()).toEqual(failed.toSorted());
  expect(clock.timersLeft()).toBe(0);
});
