/** What goes wrong with the application's database and the way to it. */

import { findWithin } from "../support/eventually.ts";
import type { ProxyMode } from "../support/tcp-proxy.ts";

import type { Scenario } from "./scenario.ts";

const meetLimitMs = 10_000;

export const databaseScenarios: readonly Scenario[] = [
  {
    name: "database-down",
    title: "the application's database cuts and refuses connections",
    requirement: "all",
    async disturb({ database }, stage) {
      await stage.begin();
      await database.goDown();
      await stage.end();
      await database.comeUp();
    },
  },
  {
    name: "database-cut",
    title: "the database's connections are cut at a statement",
    requirement: "all",
    disturb: withDatabase("cut"),
  },
  {
    name: "database-blackhole",
    title: "the database's connections go silent at a statement, and stay so",
    requirement: "all",
    disturb: withDatabase("blackhole"),
  },
  {
    name: "database-frozen",
    title: "the database's open connections go silent twice; new ones work",
    requirement: "all",
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
    hasOwnPostgres: true,
    async disturb({ ownPostgres }, stage) {
      await stage.begin();
      await ownPostgres?.setReadOnly(true);
      await stage.end();
      await ownPostgres?.setReadOnly(false);
    },
  },
];

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
