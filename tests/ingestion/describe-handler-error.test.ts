import { describe, expect, test } from "vitest";

import { describeHandlerError as describeOf } from "#ingestion/describe-handler-error.ts";

const describeHandlerError = (thrown: unknown, kind = "message") => describeOf(thrown, kind, 1_700_000_000_000);
const withStack = (stack: string, message = "words") => Object.assign(new Error(message), { stack });

describe("describeHandlerError()", () => {
  test.each<[string, string, string[]]>([
    [
      "shortens paths to those of the project",
      "    at sendComment (/home/someone/relay/src/handlers/crm/send.ts:12:9)",
      ["sendComment (src/handlers/crm/send.ts:12:9)"],
    ],
    [
      "of a bundle without source maps",
      "    at async Object.a [as send] (/srv/relay/.next/server/chunks/[root]__1._.js:1:20)",
      ["Object.a [as send] (.next/server/chunks/[root]__1._.js:1:20)"],
    ],
    [
      "of a bundle with source maps",
      "    at Client.send (turbopack:///[project]/src/handlers/crm.ts:5:11)",
      ["Client.send (src/handlers/crm.ts:5:11)"],
    ],
    ["of a file's own code", "    at file:///srv/relay/src/handlers/crm.ts:5:11", ["src/handlers/crm.ts:5:11"]],
    [
      "of a constructor",
      "    at new Client (/srv/relay/node_modules/crm/a.js:1:2)",
      ["Client (node_modules/crm/a.js:1:2)"],
    ],
    ["leaves out Node's own", "    at process.processTicksAndRejections (node:internal/process/task_queues:105:5)", []],
    ["leaves out what is no frame", "    at the customer's door", []],
    ["leaves out native code", "    at Array.map (<anonymous>)", []],
  ])("%s", (_name, line, frames) => {
    expect(describeHandlerError(withStack(`Error: words\n${line}`)).frames).toEqual(frames);
  });

  test("gives ten frames at most", () => {
    const lines = Array.from({ length: 50 }, (_, index) => `    at f${index} (/srv/src/a.ts:1:${index})`);
    expect(describeHandlerError(withStack(`Error: words\n${lines.join("\n")}`)).frames).toHaveLength(10);
  });

  test.each<[string, Error]>([
    ["whose message looks like frames", new Error("customer\n    at customer (/src/customer.ts:1:1)")],
    ["whose message was changed", withStack("Error: customer\n    at customer (/src/customer.ts:1:1)", "changed")],
    ["whose stack is something else", Object.assign(new Error("x"), { stack: ["customer"] })],
    ["whose stack has no frames", withStack("Error: words of the customer")],
    ["whose message is to be shown, but is not one", Object.assign(new Error("customer"), { expose: "true" })],
  ])("quotes nothing from an error %s", (_name, error) => {
    expect(JSON.stringify(describeHandlerError(error))).not.toContain("customer");
  });

  test("gives the frames of an error without a message", () => {
    const error = withStack("Error\n    at send (/srv/relay/src/handlers/send.ts:1:2)", "");
    expect(describeHandlerError(error).frames).toEqual(["send (src/handlers/send.ts:1:2)"]);
  });

  test.each([true, false])("shows a message, cut, only if the error says expose (%s)", (expose) => {
    const { message } = describeHandlerError(Object.assign(new Error("m".repeat(1_000)), { expose }));
    expect(message).toBe(expose ? "m".repeat(300) : null);
  });

  test("gives the first short code along the causes", () => {
    const cause = Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
    const error = Object.assign(new TypeError("fetch failed", { cause }), { code: "the customer's words" });
    expect(describeHandlerError(error)).toMatchObject({ name: "TypeError < Error", code: "ECONNREFUSED" });
    expect(describeHandlerError(Object.assign(new Error("x"), { code: 7 })).code).toBeNull();
  });

  test("leaves out our own frames", () => {
    const ours = "    at callHandler (/srv/relay/src/ingestion/run-event-handler.ts:1:2)";
    const users = "    at send (/srv/relay/src/handlers/send.ts:1:2)";
    expect(describeHandlerError(withStack(`Error: words\n${users}\n${ours}`)).frames).toEqual([
      "send (src/handlers/send.ts:1:2)",
    ]);
  });

  test("gives one fingerprint to errors of one cause, whatever their message and lines", () => {
    const at = (place: string, words: string, name = "Error") =>
      Object.assign(withStack(`${name}: ${words}\n    at send (${place})`, words), { name });
    const { fingerprint } = describeHandlerError(at("/srv/relay/src/handlers/crm.ts:1:2", "a"));
    const same = at("/var/task/src/handlers/crm.ts:30:4", "b");
    expect(describeHandlerError(same).fingerprint).toBe(fingerprint);
    const others = [
      describeHandlerError(same, "comment"),
      describeHandlerError(at("/srv/relay/src/handlers/mail.ts:1:2", "a")),
      describeHandlerError(at("/srv/relay/src/handlers/crm.ts:1:2", "a", "TypeError")),
      describeHandlerError(Object.assign(at("/srv/relay/src/handlers/crm.ts:1:2", "a"), { code: "E1" })),
    ];
    expect(new Set([fingerprint, ...others.map((other) => other.fingerprint)]).size).toBe(5);
  });
});
