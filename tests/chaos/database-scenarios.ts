/** What goes wrong with the application's database and the way to it. */

import { findWithin } from "../support/eventually.ts";
import type { ProxyMode } from "../support/tcp-proxy.ts";

import { handlerMs } from "./handler-scenarios.ts";
import type { Rig } from "./rig.ts";
import type { Scenario, Stage } from "./scenario.ts";

const meetLimitMs = 10_000;

export const databaseScenarios: readonly Scenario[] = [
  {
    name: "database-down",
    title: "the application's database cuts and refuses connections",
    requirement: "all",
    mayRepeat: true,
    async disturb({ database }, stage) {
      await stage.begin();
      await database.goDown();
      await stage.end();
      await database.comeUp();
    },
  },
  {
    name: "database-cut",
    title: "the database's connections are cut at each statement",
    requirement: "all",
    mayRepeat: true,
    disturb: withDatabase("cut"),
  },
  {
    name: "database-blackhole",
    title: "the database's connections go silent at a statement, and stay so",
    requirement: "all",
    mayRepeat: true,
    disturb: withDatabase("blackhole"),
  },
  {
    name: "database-frozen",
    title: "the database's open connections go silent twice; new ones work",
    requirement: "all",
    mayRepeat: true,
    async disturb({ database }, stage) {
      await stage.begin();
      const before = database.broken;
      const freeze = () => {
        database.freeze();
        return database.broken > before;
      };
      freeze();
      await stage.end();
      await findWithin(meetLimitMs, freeze);
    },
  },
  {
    name: "database-asleep",
    title: "the database's connections are cut, and new ones wait 6 s",
    requirement: "all",
    mayRepeat: true,
    async disturb(rig, stage) {
      await stage.begin();
      rig.database.setMode("wake");
      await rig.database.goDown();
      await rig.database.comeUp();
      await stage.end();
      rig.database.setMode("pass");
    },
  },
  {
    name: "database-restarted",
    title: "Postgres stops and is started again",
    requirement: "all",
    mayRepeat: true,
    hasOwnPostgres: true,
    async disturb({ ownPostgres }, stage) {
      await stage.begin();
      await ownPostgres?.stop();
      await stage.end();
      await ownPostgres?.start();
    },
  },
  {
    name: "database-read-only",
    title: "Postgres becomes read-only, as a primary that was demoted, and comes back",
    requirement: "all",
    mayRepeat: true,
    hasOwnPostgres: true,
    async disturb({ ownPostgres }, stage) {
      await stage.begin();
      await ownPostgres?.setReadOnly(true);
      await stage.end();
      await ownPostgres?.setReadOnly(false);
    },
  },
  {
    name: "postgres-killed",
    title: "Postgres gets SIGKILL while handlers run, and is started again",
    requirement: "all",
    hasOwnPostgres: true,
    mayRepeat: true,
    disturb: (rig, stage) => killPostgres(rig, stage, 1),
  },
  {
    name: "postgres-killed-thrice",
    title: "Postgres gets SIGKILL three times, 4 s apart, while handlers run",
    requirement: "all",
    hasOwnPostgres: true,
    mayRepeat: true,
    disturb: (rig, stage) => killPostgres(rig, stage, 3),
  },
  {
    name: "postgres-frozen",
    title: "all of Postgres stands still for 25 s",
    requirement: "all",
    hasOwnPostgres: true,
    mayRepeat: true,
    async disturb({ ownPostgres }, stage) {
      await stage.begin();
      ownPostgres?.freeze();
      try {
        await stage.wait(25_000);
      } finally {
        ownPostgres?.thaw();
      }
    },
  },
  {
    name: "database-far",
    title: "each round trip to the database takes 200 ms more",
    requirement: "all",
    async disturb({ database }, stage) {
      await stage.begin();
      database.setRoundTrip(200);
      await stage.end();
      database.setRoundTrip(0);
    },
  },
];

/** Needs Debian's pgbouncer, or the one of PGBOUNCER_PATH. */
export const pooledScenarios: readonly Scenario[] = [
  {
    name: "pooled",
    title: "PgBouncer in transaction mode before the database; its connections are cut at each statement",
    requirement: "all",
    hasPooler: true,
    mayRepeat: true,
    disturb: withDatabase("cut"),
  },
];

const betweenKillsMs = 4_000;

async function killPostgres({ ownPostgres, handlers }: Rig, stage: Stage, times: number): Promise<void> {
  handlers?.order({ delayMs: handlerMs });
  await stage.begin();
  for (let kill = 0; kill < times; kill += 1) {
    if (kill > 0) await stage.wait(betweenKillsMs);
    await ownPostgres?.kill();
    await stage.wait(1_000);
    await ownPostgres?.start();
  }
  handlers?.order({});
}

function withDatabase(mode: ProxyMode): Scenario["disturb"] {
  return async ({ database }, stage) => {
    await stage.begin();
    const before = database.broken;
    database.setMode(mode);
    await stage.end();
    // However slow the server is: a fault that nobody meets proves nothing.
    await findWithin(meetLimitMs, () => database.broken > before);
    database.setMode("pass");
  };
}
