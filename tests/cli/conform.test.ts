import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";

import { allCases } from "#cli/conform/all-cases.ts";
import { createReceiver } from "#cli/conform/receiver.ts";
import { type CaseResult, runCases } from "#cli/conform/run-cases.ts";
import { systemClock } from "#platform/clock.ts";

import { type Sink, startSink } from "../support/http-sink.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { type Faults, startModelReceiver, verifyToken } from "./model-receiver.ts";
import { appSecret, relay } from "./relay-process.ts";

const receiverAt = (url: string, patienceMs: number, secrets = [appSecret]) =>
  createReceiver({ url, secrets, verifyToken, limitMs: 20_000, patienceMs, clock: systemClock });

const faultsOf = (results: readonly CaseResult[]) =>
  results.flatMap(({ id, reason }) => (reason === null ? [] : [`${id}: ${reason}`]));

const namesIn = (group: string) => allCases.map(({ id }) => id).filter((id) => id.startsWith(`${group}.`));

describe("the cases", () => {
  test("are at least forty, each with a name of its own, what it checks and why", () => {
    expect(allCases.length).toBeGreaterThanOrEqual(40);
    expect(new Set(allCases.map(({ id }) => id)).size).toBe(allCases.length);
    for (const { id, checks, why } of allCases) {
      expect(id).toMatch(/^[a-z]+\.[\w.-]+$/);
      expect(checks).toMatch(/[^.]$/);
      expect(why).toMatch(/\.$/);
    }
  });
});

// At once: most of the time each waits for a sender that has stopped.
describe.concurrent("all cases are passed", { timeout: 60_000 }, () => {
  const secrets = [appSecret, "another secret"];
  let sink: Sink;
  let server: TestServer;

  beforeAll(async () => {
    sink = await startSink({ respond: () => ({ body: '{"messageId":"msg_1"}' }) });
    server = await startTestServer({
      env: {
        INSTAGRAM_APP_SECRET: secrets.join(","),
        INSTAGRAM_VERIFY_TOKEN: verifyToken,
        QSTASH_TOKEN: "token",
        QSTASH_URL: sink.url,
        RELAY_URL: sink.url,
        RELAY_SECRET: "relay-secret-of-thirty-two-characters",
      },
    });
  });

  afterAll(async () => {
    await server.stop();
    await sink.close();
  });

  test.each(["/api/webhooks/instagram", "/api/webhooks/instagram/node"])("by our own server at %s", async (path) => {
    const results = await runCases(allCases, receiverAt(server.baseUrl + path, 30_000, secrets));
    expect(faultsOf(results)).toEqual([]);
    expect(results.map(({ id }) => id)).toEqual(allCases.map(({ id }) => id));
  });

  test("by another receiver that is right", async () => {
    const receiver = await startModelReceiver();
    try {
      expect(faultsOf(await runCases(allCases, receiverAt(receiver.url, 30_000)))).toEqual([]);
    } finally {
      await receiver.close();
    }
  });
});

describe("another receiver", { timeout: 40_000 }, () => {
  async function start(faults: Faults): Promise<string> {
    const receiver = await startModelReceiver(faults);
    onTestFinished(() => receiver.close());
    return receiver.url;
  }

  /** What it fails, without the cases that take seconds. */
  async function examine(faults: Faults): Promise<string[]> {
    const quick = allCases.filter(({ pace }) => pace === undefined);
    const results = await runCases(quick, receiverAt(await start(faults), 1_000));
    return results.filter(({ outcome }) => outcome !== "passed").map(({ id }) => id);
  }

  test("that never checks a signature fails wherever one is wrong", async () => {
    const genuine = new Set(["signature.each-secret", "signature.header-case", "signature.kept-secret"]);
    const forged = namesIn("signature").filter((id) => !genuine.has(id));
    expect(await examine({ checksNoSignature: true })).toEqual([...forged, "http.connection"]);
  });

  test("that parses the body and writes it anew fails wherever Meta writes otherwise", async () => {
    const failed = await examine({ rewritesBody: true });
    const names = ["signature.rewritten", "encoding.escaped-unicode", "encoding.escaped-slashes", "encoding.spaces"];
    expect(failed).toEqual(expect.arrayContaining(names));
    expect(failed).not.toContain("kind.message.deleted");
  });

  test.for<[string, Faults, string[]]>([
    ["tells the right signature", { tellsSignature: true }, ["signature.kept-secret"]],
    [
      "takes any token",
      { takesAnyToken: true },
      ["wrong-token", "part-of-token", "empty-token", "no-token"].map((name) => `handshake.${name}`),
    ],
    [
      "reads the challenge as a number",
      { readsChallengeAsNumber: true },
      ["handshake.leading-zeros", "handshake.big-number"],
    ],
    ["shows the challenge as HTML", { showsChallengeAsHtml: true }, ["handshake.plain-text", "handshake.markup"]],
    [
      "takes 100 kB at most",
      { bodyBytesMax: 102_400 },
      ["batch.changes", "batch.messages", "batch.entries", ...namesIn("size").filter((id) => !id.includes("16-MB"))],
    ],
  ])("that %s fails there and nowhere else", async ([, faults, expected]) => {
    expect(await examine(faults)).toEqual(expected);
  });

  test("that knows messaging alone fails at everything else", async () => {
    const failed = await examine({ throwsOnChanges: true });
    for (const name of ["kind.comment", "kind.mention", "container.standby", "container.dashboard-test", "batch.two"]) {
      expect(failed).toContain(name);
    }
    expect(failed.filter((id) => /^(handshake|signature)\.|^kind\.(message|read|postback)/.test(id))).toEqual([]);
  });

  test("that redirects fails the handshake and every delivery", async () => {
    const failed = await examine({ redirects: true });
    expect(failed).toEqual(expect.arrayContaining(["http.no-redirect", "handshake.echo", ...namesIn("kind")]));
  });

  test("that waits for ever for the rest of a body is advised not to", async () => {
    const stalled = allCases.filter(({ id }) => id === "time.stalled-sender");
    const [result] = await runCases(stalled, receiverAt(await start({ waitsForEver: true }), 500));
    expect(result).toMatchObject({ outcome: "advised", reason: "still waiting after 0.5 s" });
  });
});

describe.concurrent("relay conform", { timeout: 40_000 }, () => {
  const env = { INSTAGRAM_VERIFY_TOKEN: verifyToken };

  async function conform(faults: Faults, ...options: string[]) {
    const receiver = await startModelReceiver(faults);
    try {
      return await relay(["conform", receiver.url, ...options], env);
    } finally {
      await receiver.close();
    }
  }

  test("prints a table and a sum, and nothing secret", async () => {
    const { status, stdout, stderr } = await conform({}, "--only", "handshake.");
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/handshake\.echo +│ must +│ passed/);
    expect(stdout).toContain(`: ${namesIn("handshake").length} passed, 0 failed, 0 advised`);
    for (const hidden of [appSecret, verifyToken]) expect(stdout).not.toContain(hidden);
  });

  test("fails for what must be, and says why", async () => {
    const { status, stdout, stderr } = await conform({ takesAnyToken: true }, "--only", "handshake.");
    expect(status).toBe(1);
    expect(stdout).toMatch(/failed handshake\.wrong-token: answered 200\n {2}Else anyone/);
    expect(stdout).toContain(", 4 failed, 0 advised");
    expect(stderr).toMatch(/^✖ http:\S+ does not conform: 4 cases failed\.\n$/);
  });

  test("only advises on what should be, and prints JSON", async () => {
    const { status, stdout } = await conform({ showsChallengeAsHtml: true }, "--only", "handshake.", "--json");
    expect(status).toBe(0);
    const { cases, ...sum } = JSON.parse(stdout) as { cases: CaseResult[]; url: string };
    expect(sum).toMatchObject({ passed: namesIn("handshake").length - 2, failed: 0, advised: 2 });
    expect(cases.find(({ id }) => id === "handshake.markup")).toMatchObject({
      level: "should",
      outcome: "advised",
      reason: "echoed it with text/html",
    });
  });

  test("takes the secret and the token from its options", async () => {
    const options = ["--secret", "another, one", "--verify-token", "wrong", "--only", "echo", "--json"];
    const { status, stdout } = await conform({}, ...options);
    expect(status).toBe(1);
    const { cases } = JSON.parse(stdout) as { cases: CaseResult[] };
    expect(faultsOf(cases)).toEqual([
      "handshake.echo: answered 403, not 200",
      "kind.message.echo: answered 401, not 200",
    ]);
  });

  test("examines another machine when told that it is one's own", async () => {
    const receiver = await startModelReceiver();
    // The same machine under a name that could be another's.
    const url = receiver.url.replace("127.0.0.1", "0.0.0.0");
    try {
      const args = ["conform", url, "--only", "handshake.echo", "--yes-this-is-mine"];
      expect((await relay(args, env)).stdout).toContain("1 passed, 0 failed, 0 advised");
    } finally {
      await receiver.close();
    }
  });

  test.each([
    [
      "another machine, unless told that it is one's own",
      ["http://192.0.2.1/hooks"],
      /^✖ 192\.0\.2\.1 is not this machine/,
    ],
    ["an address where nobody is", ["http://127.0.0.1:9/"], /^✖ .* cannot be examined: .*ECONNREFUSED/],
    ["what is no address", ["nonsense"], /^✖ The target must be edge, node or a URL/],
    ["a name that no case has", ["edge", "--only", "nothing."], /^✖ No case has "nothing\." in its name/],
  ])("refuses %s", async (_name, args, sentence) => {
    const { status, stdout, stderr } = await relay(["conform", ...args], env);
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(sentence);
  });
});
