/** The conformance cases against the package in a bare Hono app, on three runtimes. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { allCases } from "#conformance/all-cases.ts";
import { createReceiver } from "#conformance/receiver.ts";
import { runCases } from "#conformance/run-cases.ts";
import { systemClock } from "#platform/clock.ts";

import { path, secrets, verifyToken } from "./hono-settings.ts";
import { packReceiver, type PackedReceiver } from "./packed-receiver.ts";
import { type Host, startOnEdge, startOnNode, startOnWorkerd } from "./runtimes.ts";

/**
 * The program of workerd, which `.ci/run` installs: with 160 MB it is too large for a development dependency. Without it Node
 * alone is tried: each runtime takes seconds.
 */
const workerd = process.env["WORKERD"] ?? "";
const app = new URL("hono-app.ts", import.meta.url);

// Concurrent, because each spends most of its time in the case of a sender that stops.
describe.concurrent("the package in a bare Hono app passes all conformance cases", { timeout: 60_000 }, () => {
  let packed: PackedReceiver;
  beforeAll(async () => {
    packed = await packReceiver();
  });
  afterAll(() => packed.remove());

  const runtimes: [string, () => Promise<Host>][] = [
    ["on Node", async () => startOnNode(await packed.bundle(app, "esm"), packed.app)],
  ];
  if (workerd !== "") {
    runtimes.push(["on the edge VM", async () => startOnEdge(await packed.bundle(app, "iife", "bundled"))]);
    runtimes.push(["on workerd", async () => startOnWorkerd(await packed.bundle(app, "esm"), packed.app, workerd)]);
  }

  test.for(runtimes)("%s", async ([, start], { onTestFinished }) => {
    const host = await start();
    onTestFinished(() => host.stop());
    const receiver = createReceiver({
      url: host.url + path,
      secrets,
      verifyToken,
      limitMs: 20_000,
      patienceMs: 30_000,
      clock: systemClock,
    });
    const results = await runCases(allCases, receiver);
    expect(results.flatMap(({ id, reason }) => (reason === null ? [] : [`${id}: ${reason}`]))).toEqual([]);
    expect(results.length).toBe(allCases.length);
    const count = await fetch(`${host.url}/count`);
    expect(Number(await count.text())).toBeGreaterThan(4_000);
  });
});
