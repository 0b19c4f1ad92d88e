/** Backfills from the stand-in of Instagram's API into a real Postgres, through the parser and the handlers. */
import { randomUUID } from "node:crypto";

import { onTestFinished } from "vitest";
import * as v from "valibot";

import type { HandlerContext, HandlerEvent } from "#handlers/handler.ts";
import { ingestBackfill } from "#ingestion/ingest-backfill.ts";
import { advanceBackfill } from "#operations/backfill/advance-backfill.ts";
import { backfillRequest } from "#operations/backfill/backfill-request.ts";
import { backfillMessage, type BackfillMessage } from "#operations/backfill/backfill-step.ts";
import type { Backfilling } from "#operations/backfill/backfilling.ts";
import { readDescribedBackfill } from "#operations/backfill/describe-backfill.ts";
import { planBackfill } from "#operations/backfill/plan-backfill.ts";
import { systemClock } from "#platform/clock.ts";
import { parseInstagramTokens } from "#platform/instagram-tokens.ts";
import type { OpenDatabase } from "#store/connection/database.ts";

import { createHandling, type Handling } from "../support/handling.ts";
import { type GraphStandIn, startGraphStandIn } from "./graph-stand-in.ts";

export interface BackfillRig extends OpenDatabase {
  graph: GraphStandIn;
  backfilling: Backfilling;
  handling: Handling;
  /** What handlers were called with. */
  seen: { event: HandlerEvent; context: HandlerContext }[];
  /** The messages for the next steps, and after how long they come. */
  steps: (BackfillMessage & { delayMs: number })[];
  plan: (request: Record<string, unknown>) => ReturnType<typeof planBackfill>;
  read: (id: string) => ReturnType<typeof readDescribedBackfill>;
  /** Takes the step of the last message, as if its time had come. */
  step: (id: string) => ReturnType<typeof advanceBackfill>;
  /** Resolves when all handlers have ended. */
  settle: () => Promise<unknown>;
}

export const token = "IGAA-token-of-the-account-1";

export async function createBackfillRig(store: OpenDatabase, tokens = token): Promise<BackfillRig> {
  const graph = await startGraphStandIn();
  const seen: BackfillRig["seen"] = [];
  const steps: BackfillRig["steps"] = [];
  const pending = new Set<Promise<unknown>>();
  const note = (event: HandlerEvent, context: HandlerContext) => void seen.push({ event, context });
  const handling = createHandling(store.db, note, {
    handlers: { "message.echo": note, "message.unsupported": note, comment: note, postback: note },
  });
  const waitUntil = (work: Promise<unknown>) => void pending.add(work);
  const backfilling: Backfilling = {
    db: store.db,
    publisher: {
      publish: async ({ body, delayMs = 0 }) => {
        steps.push({ ...v.parse(backfillMessage, JSON.parse(body)), delayMs });
        return { messageId: "msg_1" };
      },
    },
    newId: randomUUID,
    fetch,
    clock: systemClock,
    log: handling.recording.log,
    tokens: parseInstagramTokens(tokens) ?? [],
    graphUrl: graph.url,
    paceMs: 0,
    ingest: (payload, options) => ingestBackfill(payload, options, { ...handling, waitUntil }),
  };
  const settle = () => Promise.all(pending);
  onTestFinished(async () => void (await settle()));
  return {
    ...store,
    graph,
    backfilling,
    handling,
    seen,
    steps,
    settle,
    plan: (request) => planBackfill(v.parse(backfillRequest, { reason: "an outage", ...request }), "ops", backfilling),
    read: (id) => readDescribedBackfill(store.db, id),
    step: async (id) => {
      await store.pool.query("update relay.backfills set due_at = now() where id = $1", [id]);
      const after = steps.at(-1)?.after ?? null;
      return advanceBackfill(id, { after, deadlineMs: systemClock.monotonicMs() + 20_000 }, backfilling);
    },
  };
}
