import { Client } from "@upstash/qstash";
import { after } from "next/server";

import { genuineBody } from "./genuine-body.ts";

/** What the two places have in common in which Meta puts events; the rest of an entry is of no interest here. */
interface Webhook {
  entry: { messaging?: unknown[]; changes?: unknown[] }[];
}

let client: Client | undefined;

/**
 * The relay as it is first written: after the response one message for each event, by QStash's own SDK. One after
 * another on one connection: all at once take the same CPU time, and a connection each.
 */
export async function receiveWithSdk(request: Request): Promise<Response> {
  const body = await genuineBody(request);
  if (body === null) return new Response(null, { status: 401 });
  const { entry } = JSON.parse(new TextDecoder().decode(body)) as Webhook;
  const events = entry.flatMap(({ messaging = [], changes = [] }) => [...messaging, ...changes]);
  after(() => publishEach(events));
  return new Response("EVENT_RECEIVED");
}

async function publishEach(events: readonly unknown[]): Promise<void> {
  const { QSTASH_URL: baseUrl, QSTASH_TOKEN: token } = process.env as Record<string, string>;
  client ??= new Client({ baseUrl: baseUrl ?? "", token: token ?? "", devMode: false });
  for (const event of events) {
    await client.publishJSON({ url: "https://relay.example/api/qstash/instagram-ingestion", body: event });
  }
}
