import type { Log } from "#platform/log.ts";

import type { Acceptance, BrokerStore } from "../store/broker-store.ts";
import { isLoopback } from "../api/destination.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { Place } from "./place.ts";
import type { FlowControls } from "../store/flow-controls.ts";
import { laneOf } from "../lane.ts";
import type { NewMessage } from "../store/message-rows.ts";
import type { Queues } from "../store/queues.ts";

export interface AcceptorOptions {
  store: BrokerStore;
  dispatcher: Dispatcher;
  flowControls: FlowControls;
  queues: Queues;
  log: Log;
}

/** Accepts messages, all or none, and has them delivered when they are due; resolves after they are committed. */
export type Accept = (messages: readonly NewMessage[]) => Promise<Acceptance[]>;

/** Creates the function that stores published messages in one transaction and announces them to the dispatcher. */
export function createAcceptor(options: AcceptorOptions): Accept {
  const { store, dispatcher, log } = options;
  let saidLoopback = false;

  const expect = (message: NewMessage) => dispatcher.expect({ lane: laneOf(message), dueAtMs: message.notBeforeMs });

  /** A commit can succeed although its answer is lost, so the dispatcher looks for the messages after an error, too. */
  const acceptOrExpect = async (messages: readonly NewMessage[]) => {
    try {
      const acceptances = await store.accept(messages);
      for (const [index, message] of messages.entries()) if (acceptances[index]?.sequence !== null) expect(message);
      return acceptances;
    } catch (thrown) {
      for (const message of messages) expect(message);
      throw thrown;
    }
  };

  /** A message that nothing holds back is accepted and claimed by one statement. */
  const acceptAndBegin = async (message: NewMessage, place: Place) => {
    try {
      const acceptance = await store.acceptActive(message);
      if (acceptance.sequence === null) place.giveBack();
      else place.begin(acceptance.sequence);
      return [acceptance];
    } catch (thrown) {
      place.abandon();
      throw thrown;
    }
  };

  return async (messages) => {
    if (messages.length === 0) return [];
    await prepare(messages, options);
    const [only] = messages;
    const place = messages.length === 1 && only ? dispatcher.takePlace(only) : undefined;
    const acceptances = await (only && place ? acceptAndBegin(only, place) : acceptOrExpect(messages));
    for (const [index, message] of messages.entries()) {
      const { messageId = message.messageId, deduplicated = false } = acceptances[index] ?? {};
      log.debug("broker.message_accepted", { messageId, deduplicated, bytes: message.body.byteLength });
      if (!saidLoopback && isLoopback(message.url)) {
        saidLoopback = true;
        log.warn("broker.loopback_destination", { note: "QStash itself refuses destinations on loopback addresses" });
      }
    }
    return acceptances;
  };
}

/** Queues and flow-control keys are there before the first message that names them can be claimed. */
export async function prepare(
  messages: readonly Pick<NewMessage, "queueName" | "flowControl" | "createdAtMs">[],
  { queues, flowControls }: Pick<AcceptorOptions, "queues" | "flowControls">,
): Promise<void> {
  for (const { queueName, flowControl, createdAtMs } of messages) {
    if (queueName !== null) await queues.ensure(queueName, createdAtMs);
    if (flowControl !== null) await flowControls.apply(flowControl, createdAtMs);
  }
}
