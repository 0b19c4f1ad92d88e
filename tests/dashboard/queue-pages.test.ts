/** What pages show of a queue that can do little. They are rendered with the facts of one, because a build has one queue. */
import { MantineProvider } from "@mantine/core";
import { createElement, type ReactNode } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, test } from "vitest";

import { qstashLog } from "#dashboard/status/qstash-log.ts";
import type { QueueView } from "#dashboard/status/queue-view.ts";
import { AttemptsPanel } from "#dashboard/view/attempts.tsx";
import { PauseControl } from "#dashboard/view/pause/pause-control.tsx";
import { PathFaultBanners } from "#dashboard/view/status/path-banners.tsx";
import type { QueueName } from "#platform/queue-name.ts";
import { queueCapabilities } from "#queue/capabilities.ts";
import { describeNoPause } from "#queue/queue-pause.ts";

const nowMs = Date.parse("2026-11-26T12:00:00Z");
const iso = new Date(nowMs).toISOString();

function view(name: QueueName): QueueView {
  const capabilities = queueCapabilities[name];
  const logHref = qstashLog(capabilities, "https://qstash.upstash.io");
  return { ...capabilities, noPause: describeNoPause(capabilities), logHref };
}

function show(page: ReactNode): string {
  return renderToStaticMarkup(createElement(MantineProvider, null, page)).replace(/<style[\s\S]*?<\/style>/g, "");
}

describe("with a queue that cannot be paused, keeps no dead letters and tells no attempts", () => {
  const queue = view("vercel");

  test("a sentence says what to do in place of the button that pauses", () => {
    const page = show(createElement(PauseControl, { since: null, queue }));
    expect(page).toContain("Vercel Queues cannot be paused: if handlers do harm, deploy them so that they throw");
    expect(page).not.toContain("<button");
  });

  test("the attempts are there, without a time for the next one and without a link to a log", () => {
    const attempt = {
      at: iso,
      batch: 0,
      retried: 2,
      status: 503,
      error: "OVERLOADED",
      ms: 12,
      handled: null,
      failed: null,
    };
    const attempts = [{ ...attempt, messageId: "msg_1" }];
    const page = show(createElement(AttemptsPanel, { attempts, queue, isWaiting: true, nowMs, isBackfill: false }));
    expect(page).toContain("Vercel Queues does not say when it is tried again");
    expect(page).toContain("503 OVERLOADED");
    expect(page).not.toMatch(/href|QStash/);
    const ofQstash = show(
      createElement(AttemptsPanel, { attempts, queue: view("qstash"), isWaiting: true, nowMs, isBackfill: false }),
    );
    expect(ofQstash).toContain('href="https://console.upstash.com/qstash"');
  });
});

test("a redirect of RELAY_URL is told by what it does to a queue that pushes and to one that is drained", () => {
  const faults = { configuration: null, redirectsTo: "https://www.relay.example", foreignStatus: null };
  const banner = (name: QueueName) => show(createElement(PathFaultBanners, { ...faults, queue: view(name) }));
  expect(banner("cloud-tasks")).toContain("Cloud Tasks does not follow redirects, so published batches do not arrive");
  expect(banner("sqs")).toContain("The relay does not follow redirects, so published batches wait for maintenance");
});
