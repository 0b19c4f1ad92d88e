/** The handlers of the server under chaos, controlled from outside and watched: see handlers/handlers.ts. */
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { atExit } from "../support/at-exit.ts";
import { openBuiltCopy } from "../support/built-copy.ts";

import type { HandlerOrders, LedgerLine } from "./handlers/orders.ts";

export interface ControlledHandlers {
  /** The variables of the server that runs them. */
  env: Record<string, string>;
  order(orders: Partial<HandlerOrders>): void;
  /** Everything that handlers have noted so far. */
  readLedger(): LedgerLine[];
  remove(): void;
}

const calm: HandlerOrders = { delayMs: 0, faults: {} };

/** The folder of the product, built with these handlers in the place of the user's. */
export function buildWithControlledHandlers(note: (text: string) => void, queue?: string): Promise<string> {
  const read = (name: string) => readFileSync(new URL(`handlers/${name}`, import.meta.url), "utf8");
  const files = { "src/handlers/handlers.ts": read("handlers.ts"), "src/handlers/orders.ts": read("orders.ts") };
  return openBuiltCopy({ files, note, ...(queue === undefined ? {} : { queue }) });
}

export function controlHandlers(): ControlledHandlers {
  const folder = mkdtempSync(join(tmpdir(), "relay-chaos-handlers-"));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  const cancel = atExit(remove);
  const orders = join(folder, "orders.json");
  const ledger = join(folder, "ledger.jsonl");
  const order = (changed: Partial<HandlerOrders>) => {
    // A handler never reads half of it.
    writeFileSync(`${orders}.new`, JSON.stringify({ ...calm, ...changed }));
    renameSync(`${orders}.new`, orders);
  };
  order({});
  writeFileSync(ledger, "");
  return {
    env: { CHAOS_FOLDER: folder },
    order,
    readLedger: () => {
      const lines = readFileSync(ledger, "utf8").split("\n");
      return lines.flatMap((line) => (line === "" ? [] : [JSON.parse(line) as LedgerLine]));
    },
    remove: () => {
      cancel();
      remove();
    },
  };
}
