import { expect, test } from "vitest";

import type { MessagePublisher } from "#queue/message-publisher.ts";
import { publishBySize } from "#queue/publish-by-size.ts";

test("a message that is too large for the queue goes another way; its bytes count", async () => {
  const named = (messageId: string): MessagePublisher => ({ publish: async () => ({ messageId }) });
  const publisher = publishBySize(named("queue"), 10, () => named("table"));
  const bodies = ["", "0123456789", "0123456789a", "ééééé", "éééééé", "😀😀", "😀😀😀"];
  const ways: Record<string, string> = {};
  for (const body of bodies) {
    const message = { to: "instagram-ingestion", body, label: "instagram", retries: 2 } as const;
    ways[body] = (await publisher.publish(message, 1_000)).messageId;
  }
  expect(ways).toEqual({
    "": "queue",
    "0123456789": "queue",
    "0123456789a": "table",
    ééééé: "queue",
    éééééé: "table",
    "😀😀": "queue",
    "😀😀😀": "table",
  });
});
