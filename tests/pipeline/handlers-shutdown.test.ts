import { expect, test } from "vitest";

import { eventually } from "../support/eventually.ts";
import { signDelivery, signingKeys } from "../support/qstash-token.ts";
import { startTestServer } from "../support/server.ts";
import { openTestStore, testBatch, testEvent } from "../support/store.ts";
import { readKeys, readWork } from "../support/work.ts";

const path = "/api/qstash/instagram-ingestion";

test("a server that is stopped after the consumer's answer stores the results of its handlers first", async () => {
  const { pool, url } = await openTestStore();
  const server = await startTestServer({
    env: (baseUrl) => ({
      DATABASE_URL: url,
      RELAY_URL: baseUrl,
      QSTASH_URL: "http://127.0.0.1:1",
      QSTASH_TOKEN: "token",
      QSTASH_CURRENT_SIGNING_KEY: signingKeys.currentSigningKey,
      QSTASH_NEXT_SIGNING_KEY: signingKeys.nextSigningKey,
    }),
    drainLimitMs: 20_000,
  });
  // What handlers count cannot be stored while this is locked, so the run is under way when the answer comes.
  const locker = await pool.connect();
  await locker.query("begin; lock table relay.handler_count_increments");
  const body = JSON.stringify(testBatch("d1", [testEvent("a"), testEvent("b")]));
  const signature = await signDelivery({ body: new TextEncoder().encode(body), sub: server.baseUrl + path });
  const headers = { "upstash-signature": signature, "upstash-message-id": "msg_1" };
  const response = await fetch(server.baseUrl + path, { method: "POST", body, headers });
  expect([response.status, await response.json()]).toEqual([200, { inserted: 2, duplicates: 0 }]);
  await eventually("the settlement waits", async () => {
    const { rows } = await pool.query(
      "select from pg_locks where relation = 'relay.handler_count_increments'::regclass and not granted",
    );
    return rows.length > 0;
  });
  expect(await readWork(pool)).toMatchObject([{ leased: true }, { leased: true }]);
  const stopped = server.stop();
  await eventually("the server takes no further calls", () =>
    fetch(`${server.baseUrl}/icon.svg`).then(
      ({ status }) => status === 503,
      () => true,
    ),
  );
  await locker.query("rollback");
  locker.release();
  // 128 and the number of SIGTERM: it ended by itself.
  expect(await stopped).toBe(143);
  expect(await readWork(pool)).toEqual([]);
  expect(await readKeys(pool, "handled")).toEqual(["message:1:a", "message:1:b"]);
});
