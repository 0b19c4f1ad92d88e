import { type ConformanceCase, faultUnless200, type Level } from "./conformance-case.ts";
import type { Answer } from "./exchange.ts";
import type { Receiver } from "./receiver.ts";

/** The verification request and its answer: https://developers.facebook.com/docs/instagram-platform/webhooks */
export const handshakeCases: ConformanceCase[] = [
  echoes("handshake.echo", "must", "the challenge is answered byte for byte", "1158201444", {
    why: "Meta accepts an address only if it answers 200 with exactly the challenge: no quotes, no line end.",
  }),
  echoes("handshake.leading-zeros", "must", "a challenge keeps its leading zeros", "0012300", {
    why: "The challenge is text. Read as a number it loses the zeros.",
  }),
  echoes("handshake.big-number", "must", "a challenge beyond 2^53 keeps its digits", "98765432109876543210", {
    why: "The challenge is text. Read as a double it becomes another number.",
  }),
  echoes("handshake.order", "must", "parameters are read by name, in any order", "1158201445", {
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
    checks: "the handshake can be repeated",
    why: "Meta repeats it each time the address or the token is entered.",
    run: async (receiver) => {
      for (const challenge of ["1158201446", "1158201447", "1158201448"]) {
        const fault = faultUnlessEchoed(await receiver.get(proper(receiver, challenge)), challenge);
        if (fault !== null) return fault;
      }
      return null;
    },
  },
  echoes(
    "handshake.underscores",
    "should",
    "parameters with underscores, such as hub_mode, are accepted too",
    "1158201449",
    {
      why: "Some frameworks and tools replace the dots in parameter names by underscores.",
      ask: ({ verifyToken }, challenge) => ({
        hub_mode: "subscribe",
        hub_challenge: challenge,
        hub_verify_token: verifyToken,
      }),
    },
  ),
  {
    id: "handshake.plain-text",
    level: "should",
    checks: "the challenge is answered as plain text",
    why: "Text from the request that is answered as HTML, or without a type, may run as a script.",
    run: async (receiver) => {
      const { headers } = await receiver.get(proper(receiver, "1158201450"));
      const type = headers["content-type"] ?? "no content type";
      return /^text\/plain\b/i.test(type) ? null : `answered with ${type}`;
    },
  },
  rejects("handshake.wrong-token", "must", "a wrong token is refused", {
    why: "Otherwise anyone can subscribe an app to this address, and a mistyped token seems to work. Meta's samples answer 403.",
    ask: () => ({ "hub.verify_token": "not-the-token" }),
  }),
  rejects("handshake.part-of-token", "must", "a token that is too short or too long by a letter is refused", {
    why: "If the start of the token is enough, the token can be guessed letter by letter.",
    ask: ({ verifyToken }) => ({ "hub.verify_token": verifyToken.slice(0, -1) }),
    orAsk: ({ verifyToken }) => ({ "hub.verify_token": `${verifyToken}x` }),
  }),
  rejects("handshake.empty-token", "must", "an empty token is refused", {
    why: "It is equal to a token that was never configured.",
    ask: () => ({ "hub.verify_token": "" }),
  }),
  rejects("handshake.no-token", "must", "a handshake without a token is refused", {
    why: "A missing token is equal to one that was never configured.",
    ask: () => ({ "hub.verify_token": null }),
  }),
  rejects("handshake.mode", "should", "another mode, or none, is refused", {
    why: "Meta sends only the mode subscribe.",
    ask: () => ({ "hub.mode": "unsubscribe" }),
    orAsk: () => ({ "hub.mode": null }),
  }),
  rejects("handshake.no-challenge", "should", "a handshake without a challenge is refused", {
    why: "There is nothing to answer with.",
    ask: () => ({ "hub.challenge": null }),
  }),
  reflectsNothing(
    "handshake.markup-refused",
    "must",
    "markup in a refused handshake is not answered as HTML",
    "not-the-token",
  ),
  reflectsNothing("handshake.markup", "should", "markup in an accepted handshake is not answered as HTML", null),
];

type Parameters = Record<string, string | null>;
type Ask = (receiver: Receiver, challenge: string) => Parameters;

function proper({ verifyToken }: Receiver, challenge: string): Record<string, string> {
  return { "hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": verifyToken };
}

function echoes(
  id: string,
  level: Level,
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

function faultUnlessEchoed(answer: Answer, challenge: string): string | null {
  if (answer.status !== 200) return faultUnless200(answer);
  const { text } = answer;
  return text === challenge ? null : `answered ${JSON.stringify(text.slice(0, 60))}, not "${challenge}"`;
}

/** A case that passes if a handshake with these parameters changed is refused; `null` leaves one out. */
function rejects(
  id: string,
  level: Level,
  checks: string,
  { why, ask, orAsk }: { why: string; ask: Ask; orAsk?: Ask },
): ConformanceCase {
  const run = async (receiver: Receiver) => {
    for (const change of orAsk ? [ask, orAsk] : [ask]) {
      const challenge = "1158201451";
      const answer = await receiver.get(present({ ...proper(receiver, challenge), ...change(receiver, challenge) }));
      if (answer.status >= 200 && answer.status < 300) return `answered ${answer.status}`;
      if (answer.text.includes(receiver.verifyToken)) return "the answer contains the valid token";
    }
    return null;
  };
  return { id, level, checks, why, run };
}

function reflectsNothing(id: string, level: Level, checks: string, token: string | null): ConformanceCase {
  const challenge = "<script>alert(1)</script>";
  return {
    id,
    level,
    checks,
    why: "The address is public, and the author of a link chooses what it echoes.",
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
