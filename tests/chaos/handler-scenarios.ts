/** What goes wrong with the user's handlers, and with the messages that bring about their retries. */
import type { ChooseFault, Fault } from "../support/http-fault-proxy.ts";

import type { ControlledHandlers } from "./controlled-handlers.ts";
import type { HandlerFault } from "./handlers/orders.ts";
import type { Scenario, Stage } from "./scenario.ts";

/** So long that handlers run whenever a process is killed. */
export const handlerMs = 50;
/** Every tenth event is of it: see plan-deliveries.ts. */
const faultyKind = "postback";
const handlersPath = "/api/qstash/handlers";
/** In the place of three days. */
const lateMs = 20_000;

export const handlerScenarios: readonly Scenario[] = [
  {
    name: "handlers-killed",
    title: "the server gets SIGKILL while handlers run and is started again, ACK_MODE=durable",
    requirement: "all",
    env: { ACK_MODE: "durable" },
    mayRepeat: true,
    async disturb({ handlers, restartServer }, stage) {
      handlers?.order({ delayMs: handlerMs });
      await stage.begin();
      await restartServer("SIGKILL");
      await stage.end();
      handlers?.order({});
    },
  },
  withHandlers("throw", "handlers of one kind throw, and are mended"),
  withHandlers("throw-null", "handlers of one kind throw null, and are mended"),
  withHandlers("leak", "handlers of one kind leave timers behind"),
  withHandlers("block", "handlers of one kind hold the event loop for 3 s", { mayRepeat: true }),
  withHandlers("hang", "handlers of one kind never return, and are mended", { env: { HANDLER_TIMEOUT_MS: "1000" } }),
  withHandlers("exit", "handlers of one kind end the process, which is started again each time", {
    env: { ACK_MODE: "durable" },
    requirement: "given up",
    mayRepeat: true,
  }),
  withRetries("retries-lost", "QStash accepts the messages of retries and loses them", {
    qstash: { forwards: false, instead: { status: 201, body: Buffer.from('{"messageId":"msg_lost"}') } },
  }),
  withRetries("retries-twice", "QStash delivers the messages of retries twice at once", {
    entrance: { forwards: true, againAfterMs: 0 },
  }),
  withRetries("retries-late", "QStash delivers the messages of retries once more, 20 s later", {
    entrance: { forwards: true, againAfterMs: lateMs },
  }),
];

/** The fault is one of every tenth event's handler. */
function withHandlers(fault: HandlerFault, title: string, changes: Partial<Scenario> = {}): Scenario {
  return {
    name: `handlers-${fault}`,
    title,
    requirement: "all",
    ...changes,
    async disturb({ handlers }, stage) {
      await stage.begin();
      handlers?.order({ faults: { [faultyKind]: fault } });
      await untilMet(handlers, stage);
      handlers?.order({});
    },
  };
}

/** Resolves when the fault is to end and a handler of the kind has begun since now; else it would prove nothing. */
async function untilMet(handlers: ControlledHandlers | null, stage: Stage): Promise<void> {
  const count = () => handlers?.readLedger().filter(({ key }) => key.startsWith(`${faultyKind}:`)).length ?? 0;
  const before = count();
  await stage.end();
  await stage.until("a handler has met the fault", () => Promise.resolve(handlers === null || count() > before));
}

/** Handlers of one kind throw meanwhile, so that there are retries. */
function withRetries(name: string, title: string, faults: { qstash?: Fault; entrance?: Fault }): Scenario {
  const choose =
    (fault: Fault | undefined): ChooseFault =>
    ({ path }) =>
      path.endsWith(handlersPath) ? (fault ?? null) : null;
  return {
    name,
    title,
    requirement: "all",
    async disturb({ handlers, qstash, entrance }, stage) {
      await stage.begin();
      qstash.setFault(choose(faults.qstash));
      entrance.setFault(choose(faults.entrance));
      handlers?.order({ faults: { [faultyKind]: "throw" } });
      await untilMet(handlers, stage);
      handlers?.order({});
      // The first retries come ten seconds after the last failure.
      await stage.wait(12_000);
      qstash.setFault(null);
      entrance.setFault(null);
      if (faults.entrance?.againAfterMs !== undefined) await stage.wait(faults.entrance.againAfterMs);
    },
  };
}
