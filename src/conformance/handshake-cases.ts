import type { ConformanceCase } from "./conformance-case.ts";
import type { Answer } from "./exchange.ts";
import type { Receiver } from "./receiver.ts";

/** https://developers.facebook.com/docs/instagram-platform/webhooks, for what Meta asks and how it wants to be answered. */
export const handshakeCases: ConformanceCase[] = [
  echoes("handshake.echo", "must", "the challenge comes back byte for byte", "1158201444", {
    why: "Meta enters an address only if it answers 200 with the challenge and nothing else: no quotes, no line end.",
  }),
  echoes("handshake.leading-zeros", "must", "a challenge keeps its leading zeros", "0012300", {
    why: "The challenge is text; who reads it as a number loses the zeros.",
  }),
  echoes("handshake.big-number", "must", "a challenge beyond 2^53 keeps its digits", "98765432109876543210", {
    why: "The challenge is text; as a double it is another number.",
  }),
  echoes("handshake.order", "must", "parameters count by name, not by place", "1158201445", {
    why: "Meta promises no order, and may add parameters.",
    ask: ({ verifyToken }, challenge) => ({
      "hub.verify_token": verifyToken,
      "hub.new": "1",
      "hub.challenge": challenge,
      "hub.mode": "subscribe",
    }),
  }),
  {
    id: "handshake.again",
    level: "must",
    checks: "the handshake works any number of times",
    why: "Meta asks each time the address or the token is entered again.",
    run: async (receiver) => {
      for (const challenge of ["1158201446", "1158201447", "1158201448"]) {
        const fault = faultUnlessEchoed(await receiver.get(proper(receiver, challenge)), challenge);
        if (fault !== null) return fault;
      }
      return null;
    },
  },
  echoes("handshake.underscores", "should", "hub_mode and its like do as well", "1158201449", {
    why: "Stacks that cannot have a dot in a name rewrite it, and so do tools that imitate Meta.",
    ask: ({ verifyToken }, challenge) => ({
      hub_mode: "subscribe",
      hub_challenge: challenge,
      hub_verify_token: verifyToken,
    }),
  }),
  {
    id: "handshake.plain-text",
    level: "should",
    checks: "the challenge comes back as plain text",
    why: "What comes from the address of a request and is called HTML, or nothing at all, may run as a script.",
    run: async (receiver) => {
      const { headers } = await receiver.get(proper(receiver, "1158201450"));
      const type = headers["content-type"] ?? "no content type";
      return /^text\/plain\b/i.test(type) ? null : `answered with ${type}`;
    },
  },
  rejects("handshake.wrong-token", "must", "a wrong token is refused", {
    why: "Else anyone can point an app of theirs at this address, and a mistyped token looks right. Meta's samples answer 403.",
    ask: () => ({ "hub.verify_token": "not-the-token" }),
  }),
  rejects("handshake.part-of-token", "must", "a part of the token, or more than it, is refused", {
    why: "A comparison of beginnings lets a token be guessed piece by piece.",
    ask: ({ verifyToken }) => ({ "hub.verify_token": verifyToken.slice(0, -1) }),
    orAsk: ({ verifyToken }) => ({ "hub.verify_token": `${verifyToken}x` }),
  }),
  rejects("handshake.empty-token", "must", "an empty token is refused", {
    why: "It equals a token that was never configured.",
    ask: () => ({ "hub.verify_token": "" }),
  }),
  rejects("handshake.no-token", "must", "no token at all is refused", {
    why: "What is missing equals what was never configured.",
    ask: () => ({ "hub.verify_token": null }),
  }),
  rejects("handshake.mode", "should", "another mode, or none, is refused", {
    why: "Meta sends no mode but subscribe.",
    ask: () => ({ "hub.mode": "unsubscribe" }),
    orAsk: () => ({ "hub.mode": null }),
  }),
  rejects("handshake.no-challenge", "should", "no challenge is refused", {
    why: "There is nothing to echo; a 200 that says undefined helps nobody.",
    ask: () => ({ "hub.challenge": null }),
  }),
  reflectsNothing("handshake.markup-refused", "must", "a stranger's challenge is not shown as HTML", "not-the-token"),
  reflectsNothing("handshake.markup", "should", "even with the token, markup is not shown as HTML", null),
];

type Parameters = Record<string, string | null>;
type Ask = (receiver: Receiver, challenge: string) => Parameters;

function proper({ verifyToken }: Receiver, challenge: string): Record<string, string> {
  return { "hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": verifyToken };
}

function echoes(
  id: string,
  level: "must" | "should",
  checks: string,
  challenge: string,
  { why, ask = proper }: { why: string; ask?: Ask },
): ConformanceCase {
  return {
    id,
    level,
    checks,
    why,
    run: async (receiver) => faultUnlessEchoed(await receiver.get(present(ask(receiver, challenge))), challenge),
  };
}

function faultUnlessEchoed({ status, text, headers }: Answer, challenge: string): string | null {
  if (status >= 300 && status < 400) return `answered ${status} to ${headers.location ?? "nowhere"}, not 200`;
  if (status !== 200) return `answered ${status}, not 200`;
  return text === challenge ? null : `answered ${JSON.stringify(text.slice(0, 60))}, not "${challenge}"`;
}

/** A proper handshake but for these parameters; `null` leaves one out. */
function rejects(
  id: string,
  level: "must" | "should",
  checks: string,
  { why, ask, orAsk }: { why: string; ask: Ask; orAsk?: Ask },
): ConformanceCase {
  const run = async (receiver: Receiver) => {
    for (const change of orAsk ? [ask, orAsk] : [ask]) {
      const challenge = "1158201451";
      const answer = await receiver.get(present({ ...proper(receiver, challenge), ...change(receiver, challenge) }));
      if (answer.status >= 200 && answer.status < 300) return `answered ${answer.status}`;
      if (answer.text.includes(receiver.verifyToken)) return "answered with the token that would have been right";
    }
    return null;
  };
  return { id, level, checks, why, run };
}

function reflectsNothing(id: string, level: "must" | "should", checks: string, token: string | null): ConformanceCase {
  const challenge = "<script>alert(1)</script>";
  return {
    id,
    level,
    checks,
    why: "The address is public, and what it echoes comes from whoever made the link.",
    run: async (receiver) => {
      const asked = { ...proper(receiver, challenge), ...(token === null ? {} : { "hub.verify_token": token }) };
      const { text, headers } = await receiver.get(asked);
      const type = headers["content-type"] ?? "no content type";
      const isHarmless = /^(text\/plain|application\/json)\b/i.test(type);
      return text.includes(challenge) && !isHarmless ? `echoed it with ${type}` : null;
    },
  };
}

function present(parameters: Parameters): Record<string, string> {
  return Object.fromEntries(Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== null));
}
