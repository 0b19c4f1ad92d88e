import { Command } from "commander";
import { expect, test } from "vitest";

import type { CommandContext } from "#cli/command-context.ts";
import { addSignIn } from "#cli/commands/sign-in.ts";
import { describeRunning } from "#cli/describe-running.ts";
import { readTicket } from "#dashboard/access/ops-session.ts";
import { readSettings } from "#local/settings.ts";
import { planStart } from "#local/start-environment.ts";
import type { RunningServers } from "#local/start-servers.ts";

import { opsToken } from "../support/ops-access.ts";

const paint = (_style: string, text: string) => text;

function describeFor(env: Record<string, string>, isTerminal = true): Promise<string> {
  const settings = readSettings(env, "/checkout");
  const plan = planStart(env, settings);
  const running: RunningServers = {
    settings,
    plan,
    qstashUrl: plan.brokerUrl,
    postgresFolder: plan.needsPostgres ? "/checkout/.data/postgres" : null,
    givenDatabaseUrl: env["DATABASE_URL"] ?? null,
    opsToken,
  };
  return describeRunning(running, { root: "/checkout", paint, tookMs: 1_000, isTerminal });
}

const ticketIn = (text: string) => /\?ticket=(\S+)/.exec(text)?.[1] ?? "";
const isGenuine = async (ticket: string) =>
  typeof (await readTicket(ticket, {
    tokens: [{ name: "ops", role: "admin", token: opsToken }],
    nowMs: Date.now(),
  })) === "object";

test("a terminal gets a new sign-in link each time; a pipe gets the command that prints one", async () => {
  const [first, second] = [ticketIn(await describeFor({})), ticketIn(await describeFor({}))];
  expect(await isGenuine(first)).toBe(true);
  expect(second).not.toBe(first);
  expect(await describeFor({}, false)).not.toContain("ticket");
  expect(await describeFor({}, false)).toContain("npm run relay -- sign-in");
});

test("the commands name the data folder if it is not the usual one", async () => {
  expect(await describeFor({}, false)).not.toContain("DATA_DIR");
  const banner = await describeFor({ DATA_DIR: "/srv/my data" }, false);
  expect(banner).toContain("DATA_DIR='/srv/my data' npm run relay -- sign-in");
  expect(banner).toContain("DATA_DIR='/srv/my data' npm run relay -- trigger message");
});

test.each([
  [{}, ".data/postgres"],
  [
    { DATABASE_URL: "postgresql://me:secret@db.example:5433/mine?password=secret" },
    "DATABASE_URL, db.example:5433/mine; .data/postgres only for QStash on this machine",
  ],
  [{ DATABASE_URL: "postgresql://me:secret@db.example/mine", QSTASH_TOKEN: "real" }, "DATABASE_URL, db.example/mine"],
  [{ DATABASE_URL: "postgresql://me:secret@/mine?host=/run", QSTASH_TOKEN: "real" }, "DATABASE_URL, over a socket"],
])("with %j the output names the Postgres that is used", async (env, expected) => {
  const banner = await describeFor(env);
  expect(/^ +Postgres +(.*)$/m.exec(banner)?.[1]).toBe(expected);
  expect(banner).not.toContain("secret@");
  expect(banner).not.toContain("password=");
});

test("sign-in prints a link on a terminal, and nothing elsewhere", async () => {
  const printed: string[] = [];
  const signIn = async (isTerminal: boolean, ...args: string[]) => {
    const program = new Command();
    const baseUrl = () => "https://relay.example";
    const context = { isTerminal, baseUrl, secret: () => opsToken, print: (text: string) => printed.push(text) };
    addSignIn(program, context as unknown as CommandContext);
    await program.parseAsync(["sign-in", ...args], { from: "user" });
  };
  await expect(signIn(false)).rejects.toThrow("run this in a terminal");
  expect(printed).toEqual([]);
  await signIn(true);
  await signIn(true, "--json");
  expect(printed[0]).toMatch(/^https:\/\/relay\.example\/dashboard\/sign-in\?ticket=/);
  const { link } = JSON.parse(printed[1] ?? "") as { link: string };
  expect(await isGenuine(ticketIn(link))).toBe(true);
});
