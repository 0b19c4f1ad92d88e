import { expect, test } from "vitest";

import { messageToWebhook } from "#operations/backfill/message-to-webhook.ts";

const account = {
  id: "17841400000000001",
  username: "shop",
  ownIds: ["17841400000000001", "9001"],
  paths: { conversations: "/me/conversations", media: "/me/media" },
  api: { get: () => expect.unreachable("nothing is asked for"), calls: () => 0, restMs: () => 0 },
};
const sent = (from: string, to: string) => {
  const message = {
    id: "m1",
    created_time: "2026-11-01T10:00:00+0000",
    from: { id: from },
    to: { data: [{ id: to }] },
  };
  return messageToWebhook({ ...message, message: "hello" }, account)?.messaging?.[0];
};

test("a message is an echo if the account sent it, and is_self if it went to the account itself", () => {
  const own = { id: account.id };
  expect(sent("1001", "9001")).toMatchObject({ sender: { id: "1001" }, recipient: own });
  expect(sent("1001", "9001")).not.toHaveProperty("message.is_echo");
  expect(sent("9001", "1001")).toMatchObject({ sender: own, recipient: { id: "1001" }, message: { is_echo: true } });
  expect(sent("9001", "1001")).not.toHaveProperty("message.is_self");
  const toItself = { sender: own, recipient: own, message: { mid: "m1", text: "hello", is_echo: true, is_self: true } };
  expect(sent("9001", account.id)).toMatchObject(toItself);
});
