import { expect, test } from "vitest";

import { startGraphStandIn, graphError } from "../operations/graph-stand-in.ts";
import { startTestRelay } from "../support/relay.ts";
import { runCommand } from "../support/run-command.ts";

const account = "17841400000000001";
const token = "IGAA-token-of-the-account-1";
const hourAgoMs = Math.floor(Date.now() / 1_000) * 1_000 - 3_600_000;
const hostile = "\u001b[31m\u202Eshop";

// It waits for a message of five seconds, so `.ci/run` alone asks for it.
test.runIf(process.env["TEST_CHAOS"] === "more")(
  "relay backfill plans, starts, watches over a failure that passes, and shows what came",
  async () => {
    const graph = await startGraphStandIn();
    const messages = [1, 2, 3].map((n) => {
      return { id: `m${n}`, fromId: "1001", toId: account, atMs: hourAgoMs + n * 1_000, text: "their words" };
    });
    graph.accounts.set(token, {
      id: account,
      username: hostile,
      conversations: [{ id: "c1", messages }],
      media: [
        { id: "9001", product: "FEED", comments: [{ id: "5001", fromId: "1", atMs: hourAgoMs, text: "their words" }] },
      ],
    });
    const lines: string[] = [];
    const env = { INSTAGRAM_ACCESS_TOKEN: `${account}=${token}`, INSTAGRAM_GRAPH_URL: graph.url };
    const relay = await startTestRelay(env, (line) => lines.push(line));
    try {
      const at = (...args: string[]) => runCommand(["backfill", ...args], { baseUrl: () => relay.baseUrl });
      expect((await at()).failure).toMatch(/^Since when\?/);
      expect((await at("--from", "2h", "--account", "1")).failure).toMatch(/400: INSTAGRAM_ACCESS_TOKEN has no token/);
      expect((await at("--from", "2h", "--kind", "read")).failure).toMatch(/400: kinds.0 must be one of message,/);
      expect((await at("--from", "2h")).failure).toBe("Nothing was started: add --yes to start without being asked.");
      const planned = await at("--from", "2h", "--plan", "--reason", "the outage");
      expect(planned.failure).toBeNull();
      expect(planned.stdout).toMatch(
        /Missing here +4 of 4 found[^]*comment +│ +1[^]*does not give back:\n- Messages beyond/,
      );
      for (const character of ["\u001b", "\u202E"]) expect(planned.stdout).not.toContain(character);
      const [, id = ""] = /--resume (bf_\w+) starts it/.exec(planned.stderr) ?? [];
      // Nothing was read for it yet: its counts are unknown, and not 0.
      expect((await at("--status", id)).stdout).toMatch(/state +planned\n[^]*found +–\n/);

      // QStash's message goes on after five seconds.
      graph.fail(/^\/c1$/, graphError(2));
      const watched = await at("--resume", id);
      expect(watched.failure).toBeNull();
      expect(watched.stdout).toMatch(/state +finished\n[^]*inserted +4\n/);
      const shown = (await at("--status", id, "--json")).json();
      expect(shown).toMatchObject({ id, state: "finished", actor: "ops", reason: "the outage", inserted: 4, known: 0 });
      expect((await at("--status")).stdout).toMatch(new RegExp(`${id} │ finished`));
      expect((await at("--cancel", id)).failure).toMatch(/409: The backfill is finished already/);
      expect((await at("--resume", "bf_none")).failure).toMatch(/404: There is no such backfill/);
      const again = await at("--from", "2h", "--yes");
      expect([again.failure, again.stderr]).toEqual([null, "Nothing is missing."]);

      const { deliveries } = await relay.ops("deliveries");
      expect(deliveries).toMatchObject([
        { via: "backfill", outcome: null },
        { via: "backfill", outcome: null },
      ]);
      expect((await relay.ops("status"))["status"]).not.toBe("failing");
      const { audit } = (await relay.ops("audit")) as { audit: { action: string; target: string }[] };
      expect(audit.filter(({ target }) => target === id).map(({ action }) => action)).toEqual([
        "backfill.cancel",
        "backfill.start",
        "backfill.plan",
      ]);
      expect(lines.join()).not.toMatch(/their words|IGAA/);
    } finally {
      await relay.stop();
    }
  },
  120_000,
);
