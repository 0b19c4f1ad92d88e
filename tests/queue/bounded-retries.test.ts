import { describe, expect, test } from "vitest";

import { type ErrorCode, RelayError } from "#platform/errors.ts";
import { answerBounded } from "#queue/bounded-retries.ts";

import { createRecordingLog } from "../support/recording-log.ts";

interface Delivery {
  retried: number;
  retries?: number | null;
  /** What the route does: answers with this status, or throws this. */
  outcome: number | ErrorCode;
  /** Whether giving up fails. */
  storeIsDown?: boolean;
}

async function deliver({ retried, retries = null, outcome, storeIsDown = false }: Delivery) {
  const givenUp: (ErrorCode | undefined)[] = [];
  const response = await answerBounded({
    call: { body: "{}", bytes: new Uint8Array(2), messageId: "m", retried, atMs: 0, monotonicMs: 0 },
    retries,
    event: "ingestion.refused",
    log: createRecordingLog().log,
    answer: async () => {
      if (typeof outcome === "string") throw new RelayError(outcome, "It failed", { retryAfterMs: 4_200 });
      return Response.json({}, { status: outcome });
    },
    giveUp: async (_call, error) => {
      if (storeIsDown) throw new RelayError("STORE_UNAVAILABLE", "The database cannot be reached");
      givenUp.push(error?.code);
    },
  });
  return { status: response.status, retryAfter: response.headers.get("retry-after"), givenUp };
}

describe("answerBounded()", () => {
  test("passes a success on", async () => {
    expect(await deliver({ retried: 40, outcome: 200 })).toMatchObject({ status: 200, givenUp: [] });
  });

  test("has a failed delivery repeated, after the time that the error names", async () => {
    expect(await deliver({ retried: 19, outcome: "INTERNAL" })).toEqual({ status: 500, retryAfter: "5", givenUp: [] });
  });

  test("gives a batch up after twenty repetitions, if it is kept", async () => {
    expect(await deliver({ retried: 20, outcome: "INTERNAL" })).toMatchObject({ status: 200, givenUp: ["INTERNAL"] });
    const kept = await deliver({ retried: 20, outcome: "INTERNAL", storeIsDown: true });
    expect(kept).toMatchObject({ status: 503, givenUp: [] });
  });

  test("never gives a message up for what is wrong with us", async () => {
    for (const outcome of ["STORE_UNAVAILABLE", "OVERLOADED", "ENV_INVALID", "STOPPING"] as const) {
      expect(await deliver({ retried: 500, outcome })).toMatchObject({ status: 503, givenUp: [] });
    }
  });

  test("gives a message of the relay up after as many repetitions as it has", async () => {
    expect(await deliver({ retried: 2, retries: 3, outcome: 503 })).toMatchObject({ status: 503, givenUp: [] });
    expect(await deliver({ retried: 3, retries: 3, outcome: 503 })).toMatchObject({
      status: 200,
      givenUp: [undefined],
    });
  });

  test("does not have repeated what cannot be decoded, and is kept already", async () => {
    expect(await deliver({ retried: 0, outcome: "BATCH_INVALID" })).toMatchObject({ status: 200, givenUp: [] });
  });
});
