import { expect, test } from "vitest";

import { keepRunning } from "#local/keep-running.ts";

import { eventually } from "../support/eventually.ts";
import { createManualClock } from "../support/manual-clock.ts";

/** Runs that end when the test says so. */
async function setUp({
  fails = () => false,
  signal,
}: { fails?: (start: number) => boolean; signal?: AbortSignal } = {}) {
  const clock = createManualClock();
  const notices: string[] = [];
  const ends: ((how: string) => void)[] = [];
  const stopped: number[] = [];
  let starts = 0;
  const kept = await keepRunning({
    name: "The server",
    start: async (starting) => {
      const number = (starts += 1);
      if (fails(number)) throw new Error(`start ${number} failed`);
      starting.throwIfAborted();
      let end: (how: string) => void = () => {};
      const exited = new Promise<string>((resolve) => {
        end = resolve;
      });
      ends.push(end);
      const stop = async () => {
        stopped.push(number);
        end("was stopped");
      };
      return { exited, stop };
    },
    tail: () => "the last line",
    signal,
    clock,
    notice: (text) => notices.push(text),
  });
  const die = async (how: string) => {
    const before = notices.length;
    ends.at(-1)?.(how);
    await eventually("its end is noticed", () => notices.length > before && clock.timersLeft() === 1);
  };
  return { clock, kept, notices, stopped, die, starts: () => starts };
}

const waits = (notices: readonly string[]) =>
  notices.flatMap((text) => /starts again in (\S+) s/.exec(text)?.[1] ?? []);

test("what ends is started again after half a second, with how it ended and the end of its log", async () => {
  const { clock, notices, die, starts } = await setUp();
  await die("was ended by SIGKILL");
  expect(notices).toEqual(["The server was ended by SIGKILL. It starts again in 0.5 s.\nthe last line"]);
  await clock.advance(499);
  expect(starts()).toBe(1);
  await clock.advance(1);
  expect(starts()).toBe(2);
  expect(notices.at(-1)).toBe("The server runs again.");
});

test("the waits double up to 30 s, also after starts that fail, and begin anew after a minute of health", async () => {
  const { clock, notices, die, starts } = await setUp({ fails: (start) => start >= 3 && start <= 8 });
  await die("ended by itself, with exit code 1");
  await clock.advance(500);
  await die("ended by itself, with exit code 1");
  await clock.advance(1_000 + 2_000 + 4_000 + 8_000 + 16_000 + 30_000 + 30_000);
  expect(starts()).toBe(9);
  expect(waits(notices)).toEqual(["0.5", "1", "2", "4", "8", "16", "30", "30"]);
  expect(notices).toContainEqual(
    expect.stringContaining("could not be started again: start 3 failed. It starts again"),
  );

  await clock.advance(59_999);
  await die("was ended by SIGSEGV");
  expect(waits(notices).at(-1)).toBe("30");
  await clock.advance(30_000);
  await clock.advance(60_000);
  await die("was ended by SIGSEGV");
  expect(waits(notices).at(-1)).toBe("0.5");
});

test("a first start that fails is not repeated", async () => {
  await expect(setUp({ fails: () => true })).rejects.toThrow("start 1 failed");
});

test("a stop ends what runs, and nothing is started again", async () => {
  const { clock, kept, notices, stopped, starts } = await setUp();
  await kept.stop();
  await clock.advance(60_000);
  expect([starts(), stopped, notices]).toEqual([1, [1], []]);
});

test("a stop while it waits to start again ends the wait", async () => {
  const { clock, kept, stopped, die, starts } = await setUp();
  await die("was ended by SIGKILL");
  await kept.stop();
  expect(clock.timersLeft()).toBe(0);
  expect([starts(), stopped]).toEqual([1, []]);
});

test("after the signal is aborted nothing is started again, and what runs goes on until it is stopped", async () => {
  const stopping = new AbortController();
  const { kept, stopped, starts, notices } = await setUp({ signal: stopping.signal });
  stopping.abort();
  expect(stopped).toEqual([]);
  await kept.stop();
  expect([starts(), stopped, notices]).toEqual([1, [1], []]);
});
