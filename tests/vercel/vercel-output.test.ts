// What `vercel build` makes of the project. `.ci/run` makes it and names its folder; without one there is nothing to test.
import { describe, expect, onTestFinished, test } from "vitest";

import { signBody } from "#instagram/signature.ts";
import { decodeBatch } from "#queue/decode-batch.ts";
import { queueRoutes } from "#queue/queue-route.ts";
import { vercelPath } from "#queue/vercel/vercel-path.ts";
import { vercelTopic } from "#queue/vercel/vercel-topic.ts";

import { openEdgeArtefact } from "../support/edge-isolate.ts";
import { startSink } from "../support/http-sink.ts";
import { edgeEntrypoint, readFunctionConfig, sharingFunction, startLambda } from "./vercel-output.ts";

const output = process.env["VERCEL_OUTPUT"] ?? "";
const edge = "api/webhooks/instagram";
const node = "api/webhooks/instagram/node";
const body = new TextEncoder().encode(
  '{"object":"instagram","entry":[{"id":"1","time":1,"messaging":[{"message":{"mid":"m1"}}]}]}',
);

/** A server in the place of QStash, which answers when told to, and of our own Node routes. */
async function setUp() {
  let accept: () => void = () => {};
  const accepted = new Promise<void>((resolve) => {
    accept = resolve;
  });
  const sink = await startSink({
    respond: async ({ target }) => {
      if (target.startsWith("/v2/publish/")) await accepted;
      return { body: '{"messageId":"msg_1"}' };
    },
  });
  onTestFinished(() => sink.close());
  const env = {
    INSTAGRAM_APP_SECRET: "app-secret",
    QSTASH_TOKEN: "token",
    QSTASH_URL: sink.url,
    RELAY_URL: sink.url,
    RELAY_SECRET: "relay-secret-of-thirty-two-characters",
    REPORT_SAMPLE_RATE: "1",
  };
  return { sink, env, accept, headers: { "x-hub-signature-256": await signBody("app-secret", body) } };
}

describe.skipIf(output === "")("the output of vercel build", () => {
  test("has the webhook as an edge function and its twin as a Node one", () => {
    expect(readFunctionConfig(output, edge)).toMatchObject({ runtime: "edge" });
    expect(readFunctionConfig(output, node).runtime).toMatch(/^nodejs/);
  });

  test.each(["api/qstash/instagram-ingestion", "api/internal/fallback-ingestion"])(
    "gives %s the time that vercel.json asks for",
    (path) => {
      expect(readFunctionConfig(output, path)).toMatchObject({ maxDuration: 90 });
    },
  );

  test.each(queueRoutes)("has %s called with its topic's messages", (route) => {
    const triggers = [{ type: "queue/v2beta", topic: vercelTopic(route) }];
    expect(readFunctionConfig(output, vercelPath(route).slice(1))).toMatchObject({ experimentalTriggers: triggers });
  });

  // Else what the others registered, connections of the database that are idle above all, keeps its instance awake.
  test("puts the experiment's Node part into a function of its own", () => {
    const path = "api/internal/lifecycle/node";
    expect(readFunctionConfig(output, path)).toMatchObject({ maxDuration: 55 });
    expect(sharingFunction(output, path)).toEqual([path]);
  });

  test("answers on the edge before QStash does, and publishes in waitUntil", async () => {
    const { sink, env, accept, headers } = await setUp();
    const isolate = openEdgeArtefact(edgeEntrypoint(output, edge), { env });
    const response = await isolate.call(`/${edge}`, { method: "POST", body, headers });
    expect(response.status).toBe(200);
    expect(isolate.waitedFor.length).toBeGreaterThan(0);
    await sink.next();
    accept();
    await Promise.all(isolate.waitedFor);
    expectForwarded(sink.requests, "edge");
  });

  test("answers on Node before QStash does, and publishes in waitUntil", async () => {
    const { sink, env, accept, headers } = await setUp();
    const lambda = await startLambda(output, node, env);
    onTestFinished(() => lambda.stop());
    const response = await fetch(`${lambda.url}/${node}`, { method: "POST", body, headers });
    expect(response.status).toBe(200);
    await sink.next();
    accept();
    // The forward and its report.
    expect(await lambda.waitedFor()).toBe(2);
    expectForwarded(sink.requests, "nodejs");
  });
});

function expectForwarded(requests: readonly { target: string; body: Buffer }[], runtime: string): void {
  const [publish, report] = requests;
  expect(decodeBatch(publish?.body.toString() ?? "")).toMatchObject({ delivery: { runtime }, events: [{}] });
  expect(report?.target).toBe("/api/internal/reports");
}
