import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";

import { allCases } from "#conformance/all-cases.ts";
import { createReceiver } from "#conformance/receiver.ts";
import { type CaseResult, runCases } from "#conformance/run-cases.ts";
import { systemClock } from "#platform/clock.ts";

import { type Sink, startSink } from "../support/http-sink.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { type Faults, startModelReceiver, verifyToken } from "./model-receiver.ts";
import { appSecret, relay } from "../cli/relay-process.ts";
import { runCommand } from "../support/run-command.ts";

const receiverAt = (url: string, patienceMs: number, secrets = [appSecret]) =>
  createReceiver({ url, secrets, verifyToken, limitMs: 20_000, patienceMs, clock: systemClock });

const faultsOf = (results: readonly CaseResult[]) =>
  results.flatMap(({ id, reason }) => (reason === null ? [] : [`${id}: ${reason}`]));

const namesIn = (group: string) => allCases.map(({ id }) => id).filter((id) => id.startsWith(`${group}.`));

describe("the cases", () => {
  test("are at least forty, each with a unique name, a check and a reason", () => {
    expect(allCases.length).toBeGreaterThanOrEqual(40);
    expect(new Set(allCases.map(({ id }) => id)).size).toBe(allCases.length);
    for (const { id, checks, why } of allCases) {
      expect(id).toMatch(/^[a-z]+\.[\w.-]+$/);
      expect(checks).toMatch(/[^.]$/);
      expect(why).toMatch(/\.$/);
    }
  });
});

// Concurrent, because each spends most of its time in the case of a sender that stops.
describe.concurrent("all cases pass", { timeout: 60_000 }, () => {
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

  test.each(["/api/webhooks/instagram", "/api/webhooks/instagram/node"])("on the built server at %s", async (path) => {
    const results = await runCases(allCases, receiverAt(server.baseUrl + path, 30_000, secrets));
    expect(faultsOf(results)).toEqual([]);
    expect(results.map(({ id }) => id)).toEqual(allCases.map(({ id }) => id));
  });

  test("on another receiver without faults", async () => {
    const receiver = await startModelReceiver();
    try {
      expect(faultsOf(await runCases(allCases, receiverAt(receiver.url, 30_000)))).toEqual([]);
    } finally {
      await receiver.close();
    }
  });
});

describe("a receiver", () => {
  async function start(faults: Faults): Promise<string> {
    const receiver = await startModelReceiver(faults);
    onTestFinished(() => receiver.close());
    return receiver.url;
  }

  /** The cases that do not pass, without those that take seconds. */
  async function examine(faults: Faults): Promise<string[]> {
    const quick = allCases.filter(({ pace }) => pace === undefined);
    const results = await runCases(quick, receiverAt(await start(faults), 1_000));
    return results.filter(({ outcome }) => outcome !== "passed").map(({ id }) => id);
  }

  test("that never checks a signature fails every case with a wrong one", async () => {
    const genuine = new Set(["signature.each-secret", "signature.header-case", "signature.kept-secret"]);
    const forged = namesIn("signature").filter((id) => !genuine.has(id));
    expect(await examine({ checksNoSignature: true })).toEqual([...forged, "http.connection"]);
  });

  test("that parses and rewrites the body before checking it fails where Meta writes other bytes", async () => {
    const failed = await examine({ rewritesBody: true });
    const names = ["signature.rewritten", "encoding.escaped-unicode", "encoding.escaped-slashes", "encoding.spaces"];
    expect(failed).toEqual(expect.arrayContaining(names));
    expect(failed).not.toContain("kind.message.deleted");
  });

  test.for<[string, Faults, string[]]>([
    ["answers with the valid signature", { revealsSignature: true }, ["signature.kept-secret"]],
    [
      "accepts any token",
      { acceptsAnyToken: true },
      ["wrong-token", "part-of-token", "empty-token", "no-token"].map((name) => `handshake.${name}`),
    ],
    [
      "reads the challenge as a number",
      { readsChallengeAsNumber: true },
      ["handshake.leading-zeros", "handshake.big-number"],
    ],
    ["answers the challenge as HTML", { answersChallengeAsHtml: true }, ["handshake.plain-text", "handshake.markup"]],
    [
      "accepts at most 100 kB",
      { bodyBytesMax: 102_400 },
      ["batch.changes", "batch.messages", "batch.entries", ...namesIn("size").filter((id) => !id.includes("16-MB"))],
    ],
  ])("that %s fails those cases and no others", async ([, faults, expected]) => {
    expect(await examine(faults)).toEqual(expected);
  });

  test("that knows only messaging fails all other kinds and containers", async () => {
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

  test("that waits forever for the rest of a body gets advice", async () => {
    const stalled = allCases.filter(({ id }) => id === "time.stalled-sender");
    const [result] = await runCases(stalled, receiverAt(await start({ waitsForever: true }), 500));
    expect(result).toMatchObject({ outcome: "advised", reason: "still waiting after 0.5 s" });
  });
});

describe.concurrent("relay conform", () => {
  const env = { INSTAGRAM_VERIFY_TOKEN: verifyToken };

  async function conform(faults: Faults, ...options: string[]) {
    const receiver = await startModelReceiver(faults);
    try {
      return await relay(["conform", receiver.url, ...options], env);
    } finally {
      await receiver.close();
    }
  }

  test("prints a table and a summary, without secrets", async () => {
    const { status, stdout, stderr } = await conform({}, "--only", "handshake.");
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/handshake\.echo +│ must +│ passed/);
    expect(stdout).toContain(`: ${namesIn("handshake").length} passed, 0 failed, 0 advised`);
    for (const hidden of [appSecret, verifyToken]) expect(stdout).not.toContain(hidden);
  });

  test("fails if a case of level must fails, and prints the reason", async () => {
    const { status, stdout, stderr } = await conform({ acceptsAnyToken: true }, "--only", "handshake.");
    expect(status).toBe(1);
    expect(stdout).toMatch(/failed handshake\.wrong-token: answered 200\n {2}Otherwise anyone/);
    expect(stdout).toContain(", 4 failed, 0 advised");
    expect(stderr).toMatch(/^✖ http:\S+ does not conform: 4 cases failed\.\n$/);
  });

  test("only advises if a case of level should fails, and prints JSON", async () => {
    const { status, stdout } = await conform({ answersChallengeAsHtml: true }, "--only", "handshake.", "--json");
    expect(status).toBe(0);
    const { cases, ...sum } = JSON.parse(stdout) as { cases: CaseResult[]; url: string };
    expect(sum).toMatchObject({ passed: namesIn("handshake").length - 2, failed: 0, advised: 2 });
    expect(cases.find(({ id }) => id === "handshake.markup")).toMatchObject({
      level: "should",
      outcome: "advised",
      reason: "echoed it with text/html",
    });
  });

  test("uses the secret and the token from its options", async () => {
    const options = ["--secret", "another, one", "--verify-token", "wrong", "--only", "echo", "--json"];
    const { status, stdout } = await conform({}, ...options);
    expect(status).toBe(1);
    const { cases } = JSON.parse(stdout) as { cases: CaseResult[] };
    expect(faultsOf(cases)).toEqual([
      "handshake.echo: answered 403, not 200",
      "kind.message.echo: answered 401, not 200",
    ]);
  });

  test("tests another machine with --yes-this-is-mine", async () => {
    const receiver = await startModelReceiver();
    // The same machine, under an address that is not recognised as such.
    const url = receiver.url.replace("127.0.0.1", "0.0.0.0");
    try {
      const args = ["conform", url, "--only", "handshake.echo", "--yes-this-is-mine"];
      expect((await relay(args, env)).stdout).toContain("1 passed, 0 failed, 0 advised");
    } finally {
      await receiver.close();
    }
  });

  test.each([
    ["another machine without --yes-this-is-mine", ["http://192.0.2.1/hooks"], /^192\.0\.2\.1 is not this machine/],
    ["an address without a server", ["http://127.0.0.1:9/"], /^.* cannot be tested: .*ECONNREFUSED/],
    ["a target that is no address", ["nonsense"], /^The target must be edge, node or a URL/],
    [
      "a text that no case's name contains",
      ["edge", "--only", "nothing."],
      /^The name of no case contains "nothing\."/,
    ],
  ])("refuses %s", async (_name, args, sentence) => {
    const { failure, stdout } = await runCommand(["conform", ...args], { variables: env });
    expect([failure, stdout]).toEqual([expect.stringMatching(sentence), ""]);
  });
});
