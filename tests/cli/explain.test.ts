import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { signBody } from "#instagram/signature.ts";

import { appSecret, relay } from "./relay-process.ts";

const body = '{"object":"instagram","entry":[]}';
let folder: string;
let signature: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "relay-explain-"));
  writeFileSync(join(folder, "exact.json"), body);
  writeFileSync(join(folder, "edited.json"), `${body}\n`);
  signature = await signBody(appSecret, new TextEncoder().encode(body));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const explain = (...args: string[]) => relay(["explain", ...args], { INIT_CWD: folder });

describe("relay explain", () => {
  test("prints which secret matches", async () => {
    const header = `X-Hub-Signature-256: ${signature}`;
    const options = ["--secret", `another,${appSecret}`, "--json"];
    const { status, stdout } = await explain("exact.json", "--signature", header, ...options);
    expect([status, JSON.parse(stdout)]).toMatchObject([0, { finding: "match", secretIndex: 1 }]);
  });

  test("prints the finding and the remedy, and fails", async () => {
    const { status, stdout, stderr } = await explain("edited.json", "--signature", signature);
    expect(status).toBe(1);
    expect(stdout).toMatch(/Finding +line-end\n.*line end after the body.*\n.*keep the bytes/);
    expect(stderr).toBe("✖ The signature does not match this body.\n");
    expect(stdout).not.toContain(signature.slice(7));
  });

  test("recognises a truncated body by its announced length", async () => {
    writeFileSync(join(folder, "cut.json"), body.slice(0, 20));
    const { stdout } = await explain("cut.json", "--signature", signature, "--length", String(body.length), "--json");
    expect(JSON.parse(stdout)).toMatchObject({ finding: "truncated" });
  });

  test("fails for a file that does not exist", async () => {
    const { status, stderr } = await explain("none.json");
    expect([status, stderr]).toEqual([1, "✖ none.json cannot be read (ENOENT).\n"]);
  });
});
