import { serverNodeArgs } from "#local/next-server.ts";

import { openFixtureApp } from "./fixture-app.ts";
import { appSecret } from "./delivery-sender.ts";
import { root } from "./next-app.ts";
import { type BenchServer, startBenchServer } from "./server-process.ts";
import { type BenchSink, startBenchSink } from "./sink.ts";

/** Beyond the usual variables; may depend on where the server will listen. */
type RelayEnv = Record<string, string> | ((baseUrl: string) => Record<string, string>);

/** What the servers under test talk to, and how to start them. */
export interface Rig {
  sink: BenchSink;
  /** The product as it was built. */
  startRelay(options?: { env?: RelayEnv; nodeArgs?: string[] }): Promise<BenchServer>;
  /**
   * The app of `fixture-app/`, with the same options of Node as the relay: their garbage is collected in the same way.
   * Nothing else that we load into our own server is loaded into it.
   */
  startFixture(): Promise<BenchServer>;
}

/** Stops everything that was started, however `use` ends. */
export async function withRig<T>(note: (text: string) => void, use: (rig: Rig) => Promise<T>): Promise<T> {
  const sink = await startBenchSink();
  const running: { stop(): Promise<void> }[] = [sink];
  const start = async (options: Parameters<typeof startBenchServer>[0]) => {
    const server = await startBenchServer(options);
    running.push(server);
    return server;
  };
  try {
    return await use({
      sink,
      startRelay: ({ env = {}, nodeArgs = [] } = {}) =>
        start({
          folder: root,
          env: (baseUrl) => ({
            INSTAGRAM_APP_SECRET: appSecret,
            QSTASH_TOKEN: "qstash-token",
            QSTASH_URL: sink.qstashUrl,
            // Not the server's own address: on a host the report and the fallback reach another function, and here
            // they would be more work for the process whose answers are timed.
            RELAY_URL: sink.relayUrl,
            RELAY_SECRET: "relay-secret-of-thirty-two-characters",
            ...(typeof env === "function" ? env(baseUrl) : env),
          }),
          nodeArgs: [...serverNodeArgs, ...nodeArgs],
        }),
      startFixture: async () =>
        start({
          folder: await openFixtureApp(note),
          env: {
            APP_SECRET: appSecret,
            SEND_URL: `${sink.qstashUrl}/v2/publish/least`,
            QSTASH_URL: sink.qstashUrl,
            QSTASH_TOKEN: "qstash-token",
          },
          nodeArgs: serverNodeArgs,
        }),
    });
  } finally {
    // Whoever still waits for QStash could not stop before it has an answer.
    await sink.setDelay(0).catch(() => {});
    for (const one of running.toReversed()) await one.stop();
  }
}
