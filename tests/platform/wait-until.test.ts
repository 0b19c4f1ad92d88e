import { expect, onTestFinished, test } from "vitest";

import { waitUntil } from "#platform/wait-until.ts";

/** Makes this process a host that defines its request context under `symbol`. */
function host(symbol: symbol, context: object | undefined): void {
  const globals = globalThis as Record<symbol, unknown>;
  globals[symbol] = { get: () => context };
  onTestFinished(() => void delete globals[symbol]);
}

test.each(["@vercel/request-context", "@next/request-context"])("hands the work to the host of %s", (name) => {
  const handed: unknown[] = [];
  host(Symbol.for(name), { waitUntil: (work: unknown) => handed.push(work) });
  const work = Promise.resolve();
  waitUntil(work);
  expect(handed).toEqual([work]);
});

test("throws where nothing keeps the work alive, also outside a request", () => {
  expect(() => waitUntil(Promise.resolve())).toThrow("keeps nothing alive");
  host(Symbol.for("@vercel/request-context"), undefined);
  expect(() => waitUntil(Promise.resolve())).toThrow("keeps nothing alive");
});
