import { edgeOf, type GraphObject, objectOf, textOf, timeOf } from "./graph-values.ts";
import type { TokenAccount } from "./identify-account.ts";

/** An entry of a webhook's payload. `time` is when the thing happened, as if Meta had sent it at once. */
export interface WebhookEntry {
  id: string;
  time: number;
  messaging?: readonly unknown[];
  changes?: readonly unknown[];
}

/**
 * A message of the API as the webhook that Meta would have sent. Its id is the webhook's `mid`: Meta's reference of a message
 * names both the conversation and the webhook as places to take it from. Times of the API are whole seconds. Undefined
 * without an id, a sender or a time. https://developers.facebook.com/docs/graph-api/reference/message, read 2026-11
 */
export function messageToWebhook(message: GraphObject, account: TokenAccount): WebhookEntry | undefined {
  const [mid, timestamp] = [textOf(message["id"]), timeOf(message["created_time"])];
  const sender = personOf(message["from"], account);
  const recipients = edgeOf(message["to"]).items.map((to) => personOf(to, account));
  if (mid === undefined || timestamp === null || sender === undefined) return undefined;
  const isEcho = sender === account.id;
  const recipient = recipients.find((id) => id !== undefined && id !== sender) ?? (isEcho ? undefined : account.id);
  const isSelf = isEcho && recipient === undefined && recipients.includes(account.id);
  const item = {
    sender: { id: sender },
    recipient: { id: recipient ?? account.id },
    timestamp,
    message: {
      mid,
      ...contentOf(message),
      ...(message["is_unsupported"] === true ? { is_unsupported: true } : {}),
      ...(isEcho ? { is_echo: true } : {}),
      ...(isSelf ? { is_self: true } : {}),
    },
  };
  return { id: account.id, time: timestamp, messaging: [item] };
}

/** Whether the API gave a message without anything in it, as its lists do with attachments. */
export function isBare(message: GraphObject): boolean {
  return Object.keys(contentOf(message)).length === 0 && message["is_unsupported"] !== true;
}

/** The account has several ids, of which webhooks use one. */
function personOf(person: unknown, { id: accountId, ownIds, username }: TokenAccount): string | undefined {
  const { id, username: name } = objectOf(person);
  const text = textOf(id);
  const isOwn = (text !== undefined && ownIds.includes(text)) || (username !== null && name === username);
  return isOwn ? accountId : text;
}

function contentOf(message: GraphObject): Record<string, unknown> {
  const text = textOf(message["message"]);
  const story = objectOf(message["story"]);
  const mention = textOf(objectOf(story["mention"])["link"]);
  const attachments = [
    ...edgeOf(message["attachments"]).items.map(attachmentOf),
    ...edgeOf(message["shares"]).items.flatMap(({ link }) => withUrl("share", textOf(link)) ?? []),
    ...(mention === undefined ? [] : [{ type: "story_mention", payload: { url: mention } }]),
  ];
  const replyTo = replyOf(objectOf(message["reply_to"]), objectOf(story["reply_to"]));
  return {
    ...(text === undefined ? {} : { text }),
    ...(attachments.length === 0 ? {} : { attachments }),
    ...(replyTo === undefined ? {} : { reply_to: replyTo }),
  };
}

function replyOf(message: GraphObject, story: GraphObject): Record<string, unknown> | undefined {
  const mid = textOf(message["mid"]) ?? textOf(message["id"]);
  const isSelf = message["is_self_reply"];
  if (mid !== undefined) return { mid, ...(typeof isSelf === "boolean" ? { is_self_reply: isSelf } : {}) };
  const [id, url] = [textOf(story["id"]), textOf(story["link"])];
  if (id === undefined && url === undefined) return undefined;
  return { story: { ...(id === undefined ? {} : { id }), ...(url === undefined ? {} : { url }) } };
}

/** What is not known is `unsupported`: a handler that counts attachments finds it, and its type is one of Meta's. */
function attachmentOf(attachment: GraphObject): unknown {
  const template = objectOf(attachment["generic_template"]);
  const title = textOf(template["title"]);
  if (Object.keys(template).length > 0) {
    const elements = title === undefined ? [] : [{ title }];
    return { type: "template", payload: { generic: { elements } } };
  }
  const file = textOf(attachment["file_url"]);
  const isAudio = textOf(attachment["mime_type"])?.startsWith("audio/") === true;
  return (
    withUrl("image", textOf(objectOf(attachment["image_data"])["url"])) ??
    withUrl("video", textOf(objectOf(attachment["video_data"])["url"])) ??
    withUrl(isAudio ? "audio" : "file", file) ?? { type: "unsupported" }
  );
}

function withUrl(type: string, url: string | undefined): unknown {
  return url === undefined ? undefined : { type, payload: { url } };
}
