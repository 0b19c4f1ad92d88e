import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import { expect, onTestFinished, test } from "vitest";

import { systemClock } from "#platform/clock.ts";
import { readOpenFilesLimit } from "#local/read-open-files-limit.ts";
import { hardenServer, type HardenServerOptions } from "#local/harden-server.ts";

import { eventually } from "../support/eventually.ts";
import { head, openRawClient, type RawClient } from "./raw-client.ts";

const generous: HardenServerOptions = {
  internalPath: "/api/internal/",
  readyPath: "/ready",
  leaveMs: 0,
  webhook: { path: "/hook", header: "x-signature", pattern: /^good$/, bytesMax: 1_000_000 },
  limits: { headTimeoutMs: 60_000, bodyTimeoutMs: 60_000, answerTimeoutMs: 60_000, drainBytesMax: 50_000_000 },
  bodies: { smallBytesMax: 100, largeBodiesMax: 1, paths: ["/hook"] },
  shortAnswerPaths: [],
  connectionsMax: undefined,
  findDirectAnswer: () => undefined,
  clock: systemClock,
};

interface HardenedServer {
  server: Server;
  port: number;
  open(): Promise<RawClient>;
}

async function startHardened(
  listener: RequestListener,
  options: Partial<HardenServerOptions> = {},
): Promise<HardenedServer> {
  // Without Node's own limit for idle connections, which would hide ours.
  const server = createServer({ keepAliveTimeout: 0 }, listener).unref();
  hardenServer(server, { ...generous, ...options });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const clients: RawClient[] = [];
  onTestFinished(() => {
    for (const { socket } of clients) socket.destroy();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const open = async () => {
    const client = await openRawClient(port);
    clients.push(client);
    return client;
  };
  return { server, port, open };
}

const countConnections = (server: Server) =>
  new Promise<number>((resolve) => server.getConnections((_error, count) => resolve(count)));

test("an upgrade is answered like any other request, also if a listener is added later, and its connection is closed", async () => {
  let isFirst = true;
  const { server, open } = await startHardened((_request, response) => {
    // As Next does.
    if (isFirst) server.on("upgrade", () => {});
    isFirst = false;
    response.statusCode = 404;
    response.end("nothing here");
  });
  server.on("upgrade", () => {});
  const clients = await Promise.all(Array.from({ length: 300 }, open));
  await Promise.all(
    clients.map(async (client, index) => {
      await client.send(head("GET /none", "Connection: Upgrade", `Upgrade: ${index % 2 ? "websocket" : "h2c"}`));
      await client.closed;
      expect(client.heard()).toMatch(/^HTTP\/1.1 404 [\s\S]*nothing here/);
    }),
  );
  await eventually("no connection is left", async () => (await countConnections(server)) === 0);
});

test("CONNECT closes the connection", async () => {
  const { open } = await startHardened((_request, response) => response.end());
  const client = await open();
  await client.send("CONNECT relay.test:443 HTTP/1.1\r\nHost: relay.test\r\n\r\n");
  await client.closed;
  expect(client.heard()).toBe("");
});

test("the second request of a connection begins when the first is answered, and a third that waits closes the connection", async () => {
  const begun: string[] = [];
  const answers: (() => void)[] = [];
  const { open } = await startHardened((request, response) => {
    begun.push(request.url ?? "");
    if (request.url === "/at-once") response.end("at once");
    else answers.push(() => response.end(`answer to ${request.url}`));
  });
  const client = await open();
  await client.send(head("GET /1") + head("GET /2"));
  const other = await open();
  await other.send(head("GET /at-once"));
  await other.until("at once");
  expect(begun).toEqual(["/1", "/at-once"]);
  answers.shift()?.();
  await client.until("answer to /1");
  await eventually("the first answer is given", () => answers.length === 1);
  answers.shift()?.();
  await client.until("answer to /2");

  await client.send(head("GET /3").repeat(20_000));
  await client.closed;
  expect(begun).toEqual(["/1", "/at-once", "/2", "/3"]);
});

test("a connection is used again, with and without bodies", async () => {
  const { open } = await startHardened((request, response) => {
    request.toArray().then(
      (chunks: Buffer[]) => response.end(`<${Buffer.concat(chunks).toString()}>`),
      () => {},
    );
  });
  const client = await open();
  for (const body of ["", "a", "", "b".repeat(200)]) {
    await client.send(head(body ? "POST /" : "GET /", `Content-Length: ${body.length}`) + body);
    expect(await client.until(`<${body}>`)).toContain("HTTP/1.1 200 ");
  }
});

const answerAtOnce: RequestListener = (_request, response) => {
  response.statusCode = 405;
  response.end("refused");
};
const short = (limit: Partial<HardenServerOptions["limits"]>) => ({ limits: { ...generous.limits, ...limit } });

test.for([
  ["no head", short({ headTimeoutMs: 50 }), "", ""],
  ["half a head", short({ headTimeoutMs: 50 }), "GET / HTTP/1.1\r\nHo", ""],
  [
    "half a body that is answered",
    short({ bodyTimeoutMs: 50 }),
    `${head("POST /", "Content-Length: 9")}half`,
    "refused",
  ],
  ["half a chunk", short({ bodyTimeoutMs: 50 }), `${head("POST /", "Transfer-Encoding: chunked")}9\r\nhalf`, "refused"],
] as const)("a sender that stops after %s is cut", async ([, options, bytes, answer]) => {
  const { open } = await startHardened(answerAtOnce, options);
  const client = await open();
  await client.send(bytes);
  await client.closed;
  expect(client.heard()).toContain(answer);
});

test("a client that does not read its answer is disconnected", async () => {
  const { server, open } = await startHardened(
    (_request, response) => response.end(Buffer.alloc(50_000_000)),
    short({ answerTimeoutMs: 100 }),
  );
  const client = await open();
  client.socket.pause();
  await client.send(head("GET /"));
  await eventually("the connection is open", async () => (await countConnections(server)) === 1);
  await eventually("no connection is left", async () => (await countConnections(server)) === 0);
});

test.for([
  ["keeps its connection", []],
  ["asks for its end", ["Connection: close"]],
] as const)(
  "who sends all before it reads has its answer, also after the handler gave up; it %s",
  async ([, headers]) => {
    const { open } = await startHardened((request, response) => {
      // As what Next makes of a body that nobody reads to its end.
      request.once("data", () => request.destroy());
      response.writeHead(413, { connection: "close" }).end("too large");
    });
    const body = Buffer.alloc(9_000_000);
    for (let sender = 0; sender < 20; sender += 1) {
      const client = await open();
      client.socket.pause();
      const sent = await client
        .send(head("POST /", `Content-Length: ${body.length}`, ...headers))
        .then(() => client.send(body));
      client.socket.resume();
      await client.closed;
      expect([sent, client.heard().includes("too large")]).toEqual([true, true]);
    }
  },
);

test("a body is read after the answer up to a limit", async () => {
  const { open } = await startHardened(answerAtOnce, short({ drainBytesMax: 1_000_000 }));
  const client = await open();
  await client.send(head("POST /", "Content-Length: 9000000000"));
  await client.until("refused");
  const block = Buffer.alloc(100_000);
  while (await client.send(block));
  await client.closed;
  expect(client.socket.bytesWritten).toBeLessThan(50_000_000);
});

test.for([
  ["/%E0%A4%A", "GET", 400],
  ["/dashboard/%", "GET", 400],
  ["/dashboard/%zz?x=1", "POST", 400],
  ["/nul/%00", "GET", 400],
  ["*", "OPTIONS", 400],
  ["ftp://relay.test/", "GET", 400],
  ["/_global-error", "GET", 404],
  ["/_global-error.rsc", "GET", 404],
  ["/", "TRACE", 405],
  ["/api/webhooks/instagram", "PROPFIND", 405],
] as const)("%s with %s is refused before Next sees it", async ([target, method, status]) => {
  let seen = 0;
  const { open } = await startHardened((_request, response) => {
    seen += 1;
    response.end();
  });
  const client = await open();
  await client.send(head(`${method} ${target}`));
  const answer = await client.until("}}");
  expect(answer).toContain(`HTTP/1.1 ${status} `);
  expect(JSON.parse(/\{.*\}/.exec(answer)?.[0] ?? "")).toEqual({
    error: { code: expect.any(String), message: expect.any(String) },
  });
  expect(/^allow: .*GET/im.test(answer)).toBe(status === 405);
  expect(seen).toBe(0);
});

test.for([
  ["an unknown method", head("FOO /"), 400],
  ["no HTTP", "hello\r\n\r\n", 400],
  ["a target that is no address", head("GET relay.test"), 400],
  ["two lengths", head("POST /", "Content-Length: 1", "Transfer-Encoding: chunked"), 400],
  ["a head of 20 kB", head(`GET /${"a".repeat(20_000)}`), 431],
] as const)("%s is refused in JSON", async ([, bytes, status]) => {
  const { open } = await startHardened((_request, response) => response.end());
  const client = await open();
  await client.send(bytes);
  expect(await client.until("}}")).toMatch(
    new RegExp(`^HTTP/1.1 ${status} [\\s\\S]*\\{"error":\\{"code":"REQUEST_INVALID"`),
  );
  await client.closed;
});

test("connections above the limit are closed", async () => {
  const { open } = await startHardened((_request, response) => response.end("answered"), { connectionsMax: 1 });
  const first = await open();
  await (
    await open()
  ).closed;
  await first.send(head("GET /"));
  expect(await first.until("answered")).toContain("HTTP/1.1 200 ");
  // Where the system does not say, there is no limit to test.
  expect(readOpenFilesLimit() ?? 1).toBeGreaterThan(0);
});

test("bytes that are not a request do not damage an answer that has begun", async () => {
  let finish = () => {};
  const { open } = await startHardened((_request, response) => {
    response.write("begin");
    finish = () => response.end("end");
  });
  const client = await open();
  await client.send(head("GET /"));
  await client.until("begin");
  await client.send("no request at all\r\n\r\n");
  await client.closed;
  finish();
  expect(client.heard()).not.toContain("REQUEST_INVALID");
});

test("Host sent twice is refused", async () => {
  const { open } = await startHardened((_request, response) => response.end());
  const client = await open();
  await client.send(head("GET /", "Host: other.test"));
  expect(await client.until("}}")).toContain("HTTP/1.1 400 ");
});

test.for([
  ["http://other.test/a?b", "/a?b"],
  ["HTTPS://other.test:1", "/"],
  ["http://other.test?b", "/?b"],
  ["/a%20b?c=%zz", "/a%20b?c=%zz"],
  ["/a/./b/../c?d=/../e", "/a/c?d=/../e"],
  ["/a/%2E/b/%2e%2e/c", "/a/c"],
] as const)("Next sees the target %s as %s", async ([target, seen]) => {
  const { open } = await startHardened((request, response) => response.end(`<${request.url}>`));
  const client = await open();
  await client.send(head(`GET ${target}`));
  expect(await client.until(">")).toContain(`<${seen}>`);
});

const echoLength: RequestListener = (request, response) => {
  request.toArray().then(
    (chunks: Buffer[]) => response.end(`<${Buffer.concat(chunks).length} of ${request.headers["content-length"]}>`),
    () => {},
  );
};

test.for([
  ["that nobody signed", ["Content-Length: 5000"], "<0 of undefined>"],
  ["that nobody signed, in chunks", ["Transfer-Encoding: chunked"], "<0 of undefined>"],
  ["signed twice", ["Content-Length: 5000", "X-Signature: good", "X-Signature: good"], "<0 of undefined>"],
  ["that is too long", ["Content-Length: 1000001", "X-Signature: good"], "<0 of 1000001>"],
] as const)("a webhook %s is answered before its body is there", async ([, headers, answer]) => {
  const { open } = await startHardened(echoLength);
  const client = await open();
  await client.send(head("POST /hook", ...headers));
  expect(await client.until(">")).toContain(answer);
});

test("a chunked webhook body is read only until it is too long", async () => {
  const { open } = await startHardened(echoLength);
  const client = await open();
  await client.send(head("POST /hook", "Transfer-Encoding: chunked", "X-Signature: good"));
  await client.send(`${(5_000_000).toString(16)}\r\n`);
  await client.send(Buffer.alloc(4_000_000));
  const read = Number(/<(\d+) of/.exec(await client.until("undefined>"))?.[1]);
  expect(read).toBeGreaterThan(1_000_000);
  expect(read).toBeLessThan(1_100_000);
});

test("large bodies are read one after another and small ones at once; a client that disconnects frees its place", async () => {
  const begun: string[] = [];
  const { open } = await startHardened((request, response) => {
    begun.push(request.headers["x-name"] as string);
    echoLength(request, response);
  });
  const large = (name: string) => head("POST /hook", "Content-Length: 200", "X-Signature: good", `X-Name: ${name}`);
  const [first, leaving, last, small] = [await open(), await open(), await open(), await open()];
  await first.send(large("first"));
  await eventually("the first request has begun", () => begun.length === 1);
  await leaving.send(large("leaving"));
  await last.send(large("last") + "x".repeat(200));
  await small.send(head("POST /hook", "Content-Length: 3", "X-Signature: good", "X-Name: small") + "abc");
  await small.until("<3 of 3>");
  expect(begun).toEqual(["first", "small"]);
  leaving.socket.destroy();
  await first.send("x".repeat(200));
  await first.until("<200 of 200>");
  expect(await last.until(">")).toContain("<200 of 200>");
});

test("a short answer's head goes out with its body, though Next flushes the head by itself", async () => {
  const { open } = await startHardened(
    (_request, response) => {
      response.flushHeaders();
      response.end(`sent before: ${response.headersSent}`);
    },
    { shortAnswerPaths: ["/short"] },
  );
  const client = await open();
  await client.send(head("GET /short/answer"));
  expect(await client.until("sent before: ")).toContain("sent before: false");
  await client.send(head("GET /long"));
  expect(await client.until("sent before: true")).toContain("HTTP/1.1 200");
});
