/** Replays, and the prepared bad night that one replay ends. */
import { readWork } from "./account.ts";
import { handlerMs } from "./handler-scenarios.ts";
import { runRelayCommand } from "./relay-command.ts";
import type { Rig } from "./rig.ts";
import type { Scenario, Stage } from "./scenario.ts";

/** One retry, ten seconds after the failure: then the event is a dead letter. */
const giveUpSoon = { HANDLER_RETRIES: "1" };
const allDead = { state: "dead" };

export const replayScenarios: readonly Scenario[] = [
  {
    name: "bad-night",
    title: "handlers of one kind throw, QStash is down meanwhile, a deployment mends them, one command replays",
    requirement: "all",
    env: giveUpSoon,
    async disturb(rig, stage) {
      const { handlers, qstash, restartServer } = rig;
      await stage.begin();
      handlers?.order({ faults: { postback: "throw" } });
      await stage.wait(3_000);
      await qstash.goDown();
      await stage.end();
      await qstash.comeUp();
      await stage.wait(3_000);
      await untilGivenUp(rig, stage);
      await restartServer("SIGTERM", { VERCEL_DEPLOYMENT_ID: "dpl_mended" });
      handlers?.order({});
      const startedMs = performance.now();
      await runRelayCommand(rig, ["replay", "--state", "dead", "--reason", "mended", "--yes"]);
      await untilReplayed(rig, stage);
      stage.note("ms until all is handled", Math.round(performance.now() - startedMs));
    },
  },
  {
    name: "replayed-twice",
    title: "two replays of the same dead letters run at once",
    requirement: "all",
    env: giveUpSoon,
    async disturb(rig, stage) {
      await giveUpSome(rig, stage);
      rig.handlers?.order({ delayMs: handlerMs });
      const ids = await Promise.all([planReplay(rig), planReplay(rig)]);
      await Promise.all(ids.map((id) => startReplay(rig, id)));
      await untilReplayed(rig, stage);
    },
  },
  {
    name: "replay-killed",
    title: "the server gets SIGKILL in mid-replay and is started again",
    requirement: "all",
    env: { ...giveUpSoon, ACK_MODE: "durable" },
    mayRepeat: true,
    async disturb(rig, stage) {
      const dead = await giveUpSome(rig, stage);
      rig.handlers?.order({ delayMs: handlerMs });
      await startReplay(rig, await planReplay(rig));
      await stage.until("half of the replay is done", async () => (await readWork(rig.databaseUrl)).dead <= dead / 2);
      await rig.restartServer("SIGKILL");
      await untilReplayed(rig, stage);
    },
  },
];

/** Handlers of one kind throw until there are dead letters, and are mended; how many there are. */
async function giveUpSome(rig: Rig, stage: Stage): Promise<number> {
  await stage.begin();
  rig.handlers?.order({ faults: { postback: "throw" } });
  await stage.end();
  const dead = await untilGivenUp(rig, stage);
  rig.handlers?.order({});
  return dead;
}

/** Resolves when no handler is tried any more. */
async function untilGivenUp({ databaseUrl, countWaiting, maintain }: Rig, stage: Stage): Promise<number> {
  await stage.until("the failing events are given up", async () => {
    await maintain();
    return (await readWork(databaseUrl)).dead > 0 && (await countWaiting()) === 0;
  });
  const { dead } = await readWork(databaseUrl);
  stage.note("dead letters before the replay", dead);
  return dead;
}

async function untilReplayed({ databaseUrl, maintain }: Rig, stage: Stage): Promise<void> {
  await stage.until("nothing is given up any more", async () => {
    await maintain();
    return (await readWork(databaseUrl)).dead === 0;
  });
}

async function planReplay({ ops }: Rig): Promise<string> {
  const plan = { filter: allDead, mode: "unfinished", reason: "mended" };
  const { status, answer } = await ops("POST", "replays", plan);
  if (status !== 201) throw new Error(`A replay was answered ${status}: ${JSON.stringify(answer)}`);
  return String(answer["id"]);
}

async function startReplay({ ops }: Rig, id: string): Promise<void> {
  const { status, answer } = await ops("POST", `replays/${id}/start`, {});
  if (status >= 300) throw new Error(`The start of a replay was answered ${status}: ${JSON.stringify(answer)}`);
}
