import { expect, test } from "vitest";

import { createDrainPause } from "#operations/drain-pause.ts";
import { changePause, readPause } from "#operations/pause.ts";
import { enqueueMessage } from "#store/queue/queue-messages.ts";

import { createRecordingLog } from "../support/recording-log.ts";
import { openTestStore } from "../support/store.ts";

test("batches that are drained are held back in Postgres, and the drain is wakened when they may go on", async () => {
  const { db } = await openTestStore();
  let wakes = 0;
  const pause = (inStore: boolean) => createDrainPause({ db, inStore, wake: () => void (wakes += 1) });
  const options = { db, queue: pause(true), nowMs: Date.now(), log: createRecordingLog().log };
  expect(await readPause(options)).toMatchObject({ paused: false, waiting: 0, pausable: true, obstacle: null });

  const paused = await changePause(true, options);
  expect(paused).toMatchObject({ paused: true, since: new Date(options.nowMs).toISOString() });
  expect(await changePause(true, { ...options, nowMs: options.nowMs + 60_000 })).toEqual(paused);
  for (const route of ["instagram-ingestion", "handlers"]) {
    await enqueueMessage(db, { route, body: new Uint8Array([123]), delayMs: 0, deduplicationId: null, label: route });
  }
  // The relay's own messages go on, and so do not wait.
  expect(await pause(true).read()).toEqual({ paused: true, waiting: 1 });
  expect(await pause(false).read()).toEqual({ paused: true, waiting: null });
  expect(wakes).toBe(0);

  expect(await changePause(false, options)).toMatchObject({ paused: false, since: null, waiting: 1 });
  expect(wakes).toBe(1);
});
