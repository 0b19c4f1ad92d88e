import { expect, test } from "vitest";

import { queueNames } from "#platform/queue-name.ts";
import { queueCapabilities } from "#queue/capabilities.ts";
import { describeNoPause, openPauseOf } from "#queue/queue-pause.ts";

import { pauses } from "../../app/queue/pauses.ts";

const unable = queueNames.filter((name) => !queueCapabilities[name].pause);

test("a queue that can be paused has a pause, and no other", () => {
  expect(queueNames.filter((name) => pauses[name] === null)).toEqual(unable);
  expect(queueNames.filter((name) => describeNoPause(queueCapabilities[name]) !== null)).toEqual(unable);
});

test.each(unable)("%s says what to do instead of pausing", async (name) => {
  const capabilities = queueCapabilities[name];
  const message = describeNoPause(capabilities) ?? "";
  expect(message).toMatch(new RegExp(`^${capabilities.title} cannot be paused: .*throw.*replay`));
  const pause = openPauseOf(pauses[name], capabilities);
  expect(pause).toMatchObject({ isAble: false, obstacle: message });
  const refusal = { code: "NOT_PAUSABLE", message };
  await expect(pause.read()).rejects.toMatchObject(refusal);
  await expect(pause.change(true)).rejects.toMatchObject(refusal);
});
