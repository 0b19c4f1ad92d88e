/** The built server where it refuses everything, or where its own address leads elsewhere. */
import { expect, onTestFinished, test } from "vitest";

import { signBody } from "#instagram/signature.ts";

import { eventually } from "../support/eventually.ts";
import { startSink } from "../support/http-sink.ts";
import { createMigratedDatabase } from "../support/postgres.ts";
import { startTestServer } from "../support/server.ts";
import { countsOfBoth } from "../support/webhook-runtimes.ts";

const opsToken = "ops-token-of-thirty-two-characters";
const secret = "app-secret";
const paths = ["/api/webhooks/instagram", "/api/webhooks/instagram/node"];
const body = new TextEncoder().encode('{"object":"instagram","entry":[]}');

async function start(env: (baseUrl: string) => Record<string, string>) {
  const { url, drop } = await createMigratedDatabase();
  let unsent = 0;
  const server = await startTestServer({
    onLine: (line) => {
      if (line.includes('"event":"reports.failed"')) unsent += 1;
    },
    env: (baseUrl) => ({
      INSTAGRAM_APP_SECRET: secret,
      INSTAGRAM_VERIFY_TOKEN: "verify-token",
      QSTASH_TOKEN: "qstash-token",
      QSTASH_URL: "http://127.0.0.1:1",
      QSTASH_CURRENT_SIGNING_KEY: "sig_current",
      QSTASH_NEXT_SIGNING_KEY: "sig_next",
      RELAY_URL: baseUrl,
      RELAY_SECRET: "relay-secret-of-thirty-two-characters",
      OPS_TOKEN: opsToken,
      DATABASE_URL: url,
      ...env(baseUrl),
    }),
  });
  onTestFinished(async () => {
    await server.stop();
    await drop();
  });
  const health = async () => {
    const response = await fetch(`${server.baseUrl}/api/health`);
    return [response.status, (await response.json()) as Record<string, unknown>] as const;
  };
  const post = async (path: string, signature?: string) => {
    const headers = signature === undefined ? {} : { "x-hub-signature-256": signature };
    const response = await fetch(server.baseUrl + path, { method: "POST", body, headers });
    await response.arrayBuffer();
    return response.status;
  };
  const refusals = async () => {
    const response = await fetch(`${server.baseUrl}/api/ops/runtimes?window=15m`, {
      headers: { authorization: `Bearer ${opsToken}` },
    });
    const { runtimes } = (await response.json()) as { runtimes: { refusals: Record<string, number> }[] };
    return runtimes.map((runtime) => runtime.refusals);
  };
  /**
   * Posts and waits until as many refusals are counted. A report without an answer within its second, as on a busy machine, goes
   * with that of the next refusal, so it posts once more for each; what it said may then be counted twice.
   */
  const countRefusals = async (postAll: () => Promise<void>, counted: Record<string, number>) => {
    const countsOf = (times: number) =>
      countsOfBoth(Object.fromEntries(Object.entries(counted).map(([name, count]) => [name, count * times])));
    let times = 0;
    const found = await eventually(
      "all refusals are counted",
      async () => {
        if (times <= unsent) {
          times += 1;
          await postAll();
        }
        const counts = await refusals();
        return sumOf(counts) >= sumOf(countsOf(times)) && counts;
      },
      20_000,
    );
    const shown = (counts: Record<string, number>[]) => (unsent === 0 ? counts : counts.map(Object.keys));
    expect(shown(found)).toEqual(shown(countsOf(times)));
  };
  return { health, post, countRefusals };
}

const sumOf = (counts: Record<string, number>[]) =>
  counts.flatMap((runtime) => Object.values(runtime)).reduce((sum, count) => sum + count, 0);

test("a variable that is missing is named by health, and what is refused for its sake is counted on both runtimes", async () => {
  const { health, post, countRefusals } = await start(() => ({ QSTASH_TOKEN: "", ACK_MODE: "sometimes" }));
  const message = "Configuration is incomplete: ACK_MODE is malformed, QSTASH_TOKEN is not set";
  expect(await health()).toMatchObject([
    503,
    { status: "failing", store: "ok", error: { code: "ENV_INVALID", message } },
  ]);
  const signature = await signBody(secret, body);
  const postAll = async () => {
    for (const path of paths) expect(await post(path, signature)).toBe(503);
  };
  await countRefusals(postAll, { ENV_INVALID: 1 });
});

test("a wrong app secret shows while health is right to say ok; strangers are counted apart", async () => {
  const { health, post, countRefusals } = await start(() => ({}));
  expect(await health()).toMatchObject([200, { status: "ok" }]);
  const signature = await signBody("another-secret", body);
  const postAll = async () => {
    for (const path of paths) expect([await post(path, signature), await post(path)]).toEqual([401, 401]);
  };
  await countRefusals(postAll, { SIGNATURE_INVALID: 1, SIGNATURE_MISSING: 1 });
});

test("a RELAY_URL that redirects is found by health, with the address it leads to", async () => {
  let leadsTo = "";
  const bare = await startSink({
    respond: ({ target }) => ({ status: 308, headers: { location: `${leadsTo}${target}` } }),
  });
  onTestFinished(() => bare.close());
  const { health } = await start((baseUrl) => {
    leadsTo = baseUrl;
    return { RELAY_URL: bare.url };
  });
  expect(await health()).toMatchObject([
    503,
    { status: "failing", store: "ok", relayUrl: { status: "redirects", leadsTo } },
  ]);
});
