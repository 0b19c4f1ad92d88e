import { expect, test } from "vitest";

import type { QstashApi } from "#platform/qstash-api.ts";
import { readDeadLetterPage } from "#queue/qstash/dead-letter-page.ts";

const answering =
  (status: number, text: string): QstashApi =>
  () =>
    Promise.resolve({ status, text, headers: new Headers() });

test("a page holds each letter with its whole body, and an empty cursor is the end of the list", async () => {
  const letters = [
    { dlqId: "1795000000000-0", messageId: "msg_1", url: "https://a.example", body: "text", responseStatus: 500 },
    { dlqId: "1795000000000-1", messageId: "msg_2", bodyBase64: "/w==" },
  ];
  const page = await readDeadLetterPage(answering(200, JSON.stringify({ messages: letters, cursor: "" })), null);
  expect(page.cursor).toBeNull();
  expect(page.letters).toMatchObject([
    { messageId: "msg_1", status: 500, body: new TextEncoder().encode("text"), isWhole: true },
    { messageId: "msg_2", status: 0, body: new Uint8Array([255]) },
  ]);
});

test.each([
  ["no JSON", 200, "<html>"],
  ["another shape", 200, '{"messages":{}}'],
  ["a letter without an id", 200, '{"messages":[{"messageId":"msg_1"}]}'],
  ["an error", 500, "{}"],
  ["not found", 404, ""],
])("an answer that is no list is QSTASH_UNAVAILABLE: %s", async (_name, status, text) => {
  await expect(readDeadLetterPage(answering(status, text), null)).rejects.toMatchObject({ code: "QSTASH_UNAVAILABLE" });
});
