// Your code. Each function gets one stored event: once if it succeeds, again if it throws. These only count.
import type { Handler, Handlers } from "./handler.ts";

const countKind: Handler = (event, { count }) => count(event.kind);

/** The handler of each kind of event. */
export const handlers: Handlers = {
  message: countKind,
  "message.echo": countKind,
  "message.deleted": countKind,
  "message.unsupported": countKind,
  "message.edited": countKind,
  reaction: countKind,
  read: countKind,
  postback: countKind,
  referral: countKind,
  optin: countKind,
  handover: countKind,
  policy: countKind,
  feedback: countKind,
  comment: countKind,
  live_comment: countKind,
  mention: countKind,
  story_insights: countKind,
  unknown: countKind,
};
