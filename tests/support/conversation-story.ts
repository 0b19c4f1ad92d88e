// What happens in a conversation, as stories, and what its views must show in the end: by a plain reading, without order.
import * as fc from "fast-check";

import { edit, type Item, message, reaction, reading, unsending } from "./messaging.ts";

/** Everything that happens to one message. What is optional may not come, or come before the message itself. */
export interface Story {
  outbound: boolean;
  atMs: number;
  arrives: boolean;
  kind: "message" | "unsupported" | "postback";
  attachments: string[];
  replyTo: number | null;
  edits: number[];
  isUnsent: boolean;
  reactions: { outbound: boolean; emoji: string | null; atMs: number }[];
  readAtMs: number[];
}

export const startMs = 1_700_000_000_000;
/** Few moments, so that different things happen at the same one. */
const moment = fc.integer({ min: 0, max: 12 }).map((step) => startMs + step * 1_000);

export const story: fc.Arbitrary<Story> = fc.record({
  outbound: fc.boolean(),
  atMs: moment,
  arrives: fc.integer({ min: 0, max: 5 }).map((die) => die > 0),
  kind: fc.constantFrom("message", "message", "unsupported", "postback"),
  attachments: fc.array(fc.constantFrom("image", "share"), { maxLength: 2 }),
  replyTo: fc.option(fc.nat(4)),
  edits: fc.uniqueArray(fc.integer({ min: 1, max: 11 }), { maxLength: 3 }),
  isUnsent: fc.integer({ min: 0, max: 3 }).map((die) => die === 0),
  reactions: fc.array(
    fc.record({ outbound: fc.boolean(), emoji: fc.option(fc.constantFrom("❤️", "😮")), atMs: moment }),
    { maxLength: 4 },
  ),
  readAtMs: fc.array(moment, { maxLength: 2 }),
});

const midOf = (index: number) => `mid.${index}`;

export function itemsOf({ outbound, atMs, ...rest }: Story, index: number): Item[] {
  const mid = midOf(index);
  const items: Item[] = [];
  if (rest.arrives) {
    const more = {
      ...(rest.attachments.length > 0 && {
        attachments: rest.attachments.map((type) => ({ type, payload: { url: "https://x" } })),
      }),
      ...(rest.replyTo !== null && { reply_to: { mid: midOf(rest.replyTo) } }),
      ...(outbound && { is_echo: true }),
      ...(rest.kind === "unsupported" && { is_unsupported: true }),
    };
    const isPostback = rest.kind === "postback" && !outbound;
    items.push({
      outbound,
      atMs,
      part: isPostback ? { postback: { mid, title: `text ${index}` } } : message(mid, `text ${index}`, more),
    });
  }
  for (const number of rest.edits)
    items.push({ outbound, atMs: atMs + number, part: edit(mid, `text ${index}, edited ${number}`, number) });
  if (rest.isUnsent) items.push({ outbound, atMs: atMs + 99, part: unsending(mid) });
  for (const { emoji, ...by } of rest.reactions) items.push({ ...by, part: reaction(mid, emoji) });
  for (const at of rest.readAtMs) items.push({ atMs: at, part: reading(mid) });
  return items;
}

/** What the views show in the end, by a plain reading of the stories. */
export function expectedMessages(stories: readonly Story[], keep: boolean) {
  const known = stories
    .map((one, index) => ({ ...one, index }))
    .filter(({ arrives, edits, isUnsent }) => arrives || edits.length > 0 || isUnsent);
  const readings = stories.flatMap(({ atMs, arrives, readAtMs }) => {
    if (readAtMs.length === 0) return [];
    const read = Math.min(...readAtMs);
    return [{ upToMs: arrives ? atMs : read, read }];
  });
  return known.map(({ index, outbound, atMs, arrives, kind, isUnsent, edits, ...rest }) => {
    const isPostback = kind === "postback" && !outbound;
    const isGone = isUnsent && !keep;
    const number = Math.max(0, ...edits);
    const text = number > 0 ? `text ${index}, edited ${number}` : arrives ? `text ${index}` : null;
    // Of a message that never came only its own reading says when it was read.
    const own = rest.readAtMs.length > 0 ? Math.min(...rest.readAtMs) : null;
    const position = arrives ? atMs : own;
    const seen = position === null ? [] : readings.filter(({ upToMs }) => upToMs >= position).map(({ read }) => read);
    return {
      message_id: midOf(index),
      direction: outbound ? "outbound" : "inbound",
      sent_at: arrives ? atMs : null,
      text: isGone ? null : text,
      edits: number,
      unsent: isUnsent,
      attachments: arrives && !isGone && !isPostback ? rest.attachments : [],
      reply_to: arrives && !isGone && !isPostback && rest.replyTo !== null ? midOf(rest.replyTo) : null,
      reactions: expectedReactions(rest.reactions),
      read_at: outbound && seen.length > 0 ? Math.min(...seen) : null,
    };
  });
}

function expectedReactions(reactions: Story["reactions"]) {
  const latest = (outbound: boolean) =>
    reactions
      .filter((one) => one.outbound === outbound)
      .toSorted(byTimeAndKey)
      .at(-1)?.emoji;
  const [theirs, ours] = [latest(false), latest(true)];
  return { ...(theirs && { person: theirs }), ...(ours && { account: ours }) };
}

type Reaction = Story["reactions"][number];

/** The key ends in action, emoji and time; of two reactions at one moment `unreact` comes last. */
function byTimeAndKey(a: Reaction, b: Reaction): number {
  const keyOf = ({ emoji }: Reaction) =>
    emoji === null ? "unreact:" : `react:${Array.from(emoji, (point) => point.codePointAt(0)?.toString(16)).join("-")}`;
  return a.atMs - b.atMs || (keyOf(a) < keyOf(b) ? -1 : 1);
}

export type Expected = ReturnType<typeof expectedMessages>;

export function expectedConversation(messages: Expected) {
  const shown = messages.filter(({ unsent }) => !unsent);
  const times = (direction: string) =>
    shown.flatMap((one) => (one.direction === direction && one.sent_at !== null ? [one.sent_at] : []));
  const answeredAt = Math.max(-Infinity, ...times("outbound"));
  const last = shown.toSorted(
    (a, b) => (b.sent_at ?? -1) - (a.sent_at ?? -1) || (a.message_id < b.message_id ? -1 : 1),
  )[0];
  const reads = messages.flatMap(({ read_at: at }) => at ?? []);
  return {
    last_message_at: last?.sent_at ?? null,
    last_message_id: last?.message_id ?? null,
    last_text: last?.text ?? null,
    messages: shown.length,
    unanswered: shown.filter(
      ({ direction, sent_at: at }) =>
        direction === "inbound" && (answeredAt === -Infinity || (at !== null && at > answeredAt)),
    ).length,
    unread: shown.filter(({ direction, read_at: at }) => direction === "outbound" && at === null).length,
    last_read_at: reads.length > 0 ? Math.max(...reads) : null,
  };
}
