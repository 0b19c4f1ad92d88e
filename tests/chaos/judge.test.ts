import { describe, expect, test } from "vitest";

import { type Account, drawUpAccount, type Stored } from "./account.ts";
import { type Evidence, judge, type Requirement } from "./judge.ts";
import type { SentDelivery } from "./send-as-meta.ts";
import { createServerLog } from "./server-log.ts";

const acked = (deliveryId: string, ...keys: string[]): SentDelivery => {
  return { keys, ackedAs: deliveryId, ackMs: 1, refusals: [] };
};
const noWork = { forgotten: 0, dead: 0, unseen: 0 };
const stored = (...keys: string[]): Stored => {
  return { rows: keys.map((key) => ({ key, handled: true })), handlerRuns: keys.length, work: noWork };
};

describe("the account", () => {
  const sent = [acked("d1", "a"), acked("d2", "b", "c")];

  test("of what is stored once, and nothing else, is even", () => {
    expect(drawUpAccount(sent, stored("a", "b", "c"))).toEqual({
      sent: 2,
      acked: 2,
      refusals: 0,
      ackedLater: 0,
      ingested: 2,
      duplicates: 0,
      lost: [],
      unhandled: 0,
      work: noWork,
    });
  });

  test("tells which event of an acknowledged delivery is missing", () => {
    const account = drawUpAccount(sent, stored("a", "c"));
    expect(account).toMatchObject({ acked: 2, ingested: 1, lost: [{ deliveryId: "d2", missing: ["b"] }] });
  });

  test.each<[string, Stored, number]>([
    ["a second row", stored("a", "b", "c", "c"), 1],
    ["a row that nobody sent", stored("a", "b", "c", "d"), 1],
    ["a handler that ran twice", { ...stored("a", "b", "c"), handlerRuns: 4 }, 1],
  ])("counts %s as a duplicate", (_name, rows, duplicates) => {
    expect(drawUpAccount(sent, rows).duplicates).toBe(duplicates);
  });

  test("asks for nothing that was refused, and counts how often it was", () => {
    const refused = { keys: ["x"], ackedAs: null, ackMs: null, refusals: ["503", "ECONNREFUSED"] };
    const late = { ...acked("d3", "y"), refusals: ["503"] };
    const account = drawUpAccount([refused, late], stored("y"));
    expect(account).toMatchObject({ sent: 2, acked: 1, refusals: 3, ackedLater: 1, ingested: 1, lost: [] });
  });
});

describe("the judgement", () => {
  const even: Account = drawUpAccount([acked("d1", "a")], stored("a"));
  const missing: Account = drawUpAccount([acked("d1", "a")], stored());
  const nothing: Evidence = {
    cutOff: new Set(),
    lostKeys: new Set(),
    lostKnowingly: new Set(),
    deadLetters: 0,
    repeated: 0,
  };

  test.each<[Requirement, Account, Partial<Evidence>, string[]]>([
    ["all", even, {}, []],
    ["all", missing, {}, ["1 lost"]],
    ["all", missing, { cutOff: new Set(["d1"]), lostKeys: new Set(["a"]) }, ["1 lost"]],
    ["all", { ...even, duplicates: 2 }, {}, ["2 duplicates"]],
    ["all", { ...even, acked: 0 }, {}, ["1 never acked"]],
    ["all", { ...even, unhandled: 1 }, {}, ["1 stored but not handled"]],
    ["all", even, { deadLetters: 1 }, ["1 dead letters"]],
    ["all", even, { repeated: 1 }, ["1 succeeded twice"]],
    ["all", { ...even, work: { ...noWork, forgotten: 1 } }, {}, ["1 open that nobody will try"]],
    ["given up", { ...even, unhandled: 2, work: { ...noWork, dead: 2 } }, {}, []],
    ["given up", { ...even, unhandled: 2, work: { ...noWork, dead: 1 } }, {}, ["1 stored but not handled"]],
    ["given up", { ...even, work: { ...noWork, unseen: 1 } }, {}, ["1 given up without a dead letter"]],
    ["in flight", missing, {}, ["1 lost, not in flight"]],
    ["in flight", missing, { cutOff: new Set(["d1"]) }, []],
    ["named", missing, {}, ["1 lost without a word"]],
    ["named", missing, { lostKeys: new Set(["a"]) }, []],
    ["named", even, { lostKnowingly: new Set(["d1"]) }, ["1 acked though nothing could be kept"]],
  ])("of %s, case %#", (requirement, account, evidence, failures) => {
    expect(judge(requirement, account, { ...nothing, ...evidence })).toEqual(failures);
  });
});

describe("the server's log", () => {
  const hear = (...lines: object[]) => {
    const log = createServerLog();
    for (const [second, line] of lines.entries()) {
      log.hear(JSON.stringify({ time: `2026-01-01T00:00:0${second}.000Z`, ...line }));
    }
    return log;
  };
  const received = { event: "delivery.received", deliveryId: "d1", runtime: "edge" };
  const settled = (outcome: string) => ({ event: "forward.settled", deliveryId: "d1", outcome });

  test("tells which forwards a process took with it", () => {
    const log = hear(received, { ...received, deliveryId: "d2" }, settled("published"));
    expect([...log.open]).toEqual(["d2"]);
    log.processEnded();
    expect([[...log.open], [...log.cutOff]]).toEqual([[], ["d2"]]);
  });

  test.each([
    ["before the runtime knew", [received, { event: "acks.withheld", runtime: "edge" }], []],
    ["when it knew", [{ event: "acks.withheld", runtime: "edge" }, received], ["d1"]],
    ["when only the other one knew", [{ event: "acks.withheld", runtime: "nodejs" }, received], []],
    ["when all was well again", ["acks.withheld", "acks.resumed"].map((event) => ({ event, runtime: "edge" })), []],
  ])("tells a loss that was acknowledged %s", (_name, lines, knowingly) => {
    const later = lines.includes(received) ? lines : [...lines, received];
    expect([...hear(...later, settled("lost")).lostKnowingly]).toEqual(knowingly);
  });

  test("is not put off by what is no log line, or half of one", () => {
    const log = createServerLog();
    for (const line of ["▲ Next.js", '{"time":"2026', "{}"]) log.hear(line);
    expect(log.outcomes).toEqual({});
  });
});
