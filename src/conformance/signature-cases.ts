import { createHmac, randomBytes } from "node:crypto";

import { signBody } from "#instagram/signature.ts";

import { accepts, type ConformanceCase, faultUnlessAccepted, type Level, refuses } from "./conformance-case.ts";
import { messageBody } from "./deliveries.ts";
import { type Body, type Receiver, toBytes } from "./receiver.ts";

const forgery = "A sender who passes this check can invent events.";

/** An HMAC-SHA256 over the raw bytes: https://developers.facebook.com/docs/messenger-platform/webhooks#validate-payloads */
export const signatureCases: ConformanceCase[] = [
  {
    id: "signature.each-secret",
    level: "must",
    checks: "a delivery signed with any of the given secrets is accepted",
    why: "Instagram Login signs with the Instagram app secret, Facebook Login with the Meta app secret; rotation adds another.",
    run: async (receiver) => {
      for (const [index, secret] of receiver.secrets.entries()) {
        const body = messageBody(receiver.clock.nowMs());
        const signature = await signBody(secret, toBytes(body));
        const fault = faultUnlessAccepted(await receiver.deliver({ body, signature }));
        if (fault !== null) return receiver.secrets.length === 1 ? fault : `secret ${index + 1}: ${fault}`;
      }
      return null;
    },
  },
  accepts({
    id: "signature.header-case",
    level: "must",
    checks: "the signature header is found in upper and in lower case",
    why: "Header names are case-insensitive (RFC 9110, 5.1), and HTTP/2 sends them in lower case.",
    send: async (receiver) => {
      const bodies = [message(receiver), message(receiver)];
      const names = ["x-hub-signature-256", "X-HUB-SIGNATURE-256"];
      return Promise.all(
        bodies.map(async (body, index) => ({
          body,
          signature: null,
          headers: { [names[index] ?? ""]: await receiver.sign(body) },
        })),
      );
    },
  }),
  forges("missing", "a delivery without a signature is refused", () => null),
  forges("empty", "an empty signature is refused", () => ""),
  forges("wrong-key", "a signature with another secret is refused", foreign),
  forges("empty-key", "a signature with an empty secret is refused", (body) => hmac("", body), {
    why: "It is valid wherever the secret was never configured.",
  }),
  forges("undefined-key", "a signature with the secret undefined is refused", (body) => hmac("undefined", body), {
    why: "It is valid where a variable that is not set becomes the text undefined.",
  }),
  forges("other-body", "another delivery's signature is refused", (_, receiver) => receiver.sign(message(receiver))),
  forges("changed", "a body with one letter changed is refused", (body, { sign }) => sign(body.replace("Caf", "Cap"))),
  forges("line-end", "a body with a line end added is refused", (body, { sign }) => sign(`${body}\n`), {
    why: "The signature covers every byte. A receiver that trims the body first checks other bytes.",
  }),
  forges("rewritten", "a signature over the same JSON in another notation is refused", signRewritten, {
    why: "A receiver that checks a rewritten body refuses Meta's deliveries: Meta writes \\u00e9 and \\/, JSON.stringify é and /.",
  }),
  forges("no-digits", "the prefix without digits is refused", () => "sha256=", {
    why: "A comparison over the length of the sent value compares nothing here.",
  }),
  forges(
    "few-digits",
    "the first eight digits alone are refused",
    async (body, { sign }) => (await sign(body)).slice(0, 15),
    {
      why: "Eight digits can be found by trial.",
    },
  ),
  forges("short", "a signature with one digit missing is refused", async (body, { sign }) =>
    (await sign(body)).slice(0, -1),
  ),
  forges("zeros", "64 zeros are refused", () => `sha256=${"0".repeat(64)}`),
  forges("no-prefix", "digits without sha256= are refused", async (body, { sign }) => (await sign(body)).slice(7), {
    level: "should",
    why: "Meta always sends the prefix, so a sender without it is not Meta.",
  }),
  forges("doubled", "two signature headers, one of them valid, are refused", doubled, {
    level: "should",
    why: "Meta sends one. A proxy may check one of the two, and the receiver the other.",
  }),
  refuses({
    id: "signature.sha1",
    level: "should",
    checks: "the old SHA-1 header is not enough, alone or beside a wrong new one",
    why: "Meta documents only X-Hub-Signature-256 now.",
    send: (receiver) => {
      const body = message(receiver);
      const sha1 = createHmac("sha1", receiver.secret).update(body).digest("hex");
      const headers = { "X-Hub-Signature": `sha1=${sha1}` };
      return [null, foreign(body)].map((signature) => ({ body, signature, headers }));
    },
  }),
  {
    id: "signature.kept-secret",
    level: "must",
    checks: "a refusal does not contain the valid signature",
    why: "A sender who learns it can repeat the body with it.",
    run: async (receiver) => {
      const body = message(receiver);
      const right = (await receiver.sign(body)).slice("sha256=".length);
      const answer = await receiver.deliver({ body, signature: foreign(body) });
      return (answer.text + JSON.stringify(answer.headers)).toLowerCase().includes(right)
        ? "the answer contains it"
        : null;
    },
  },
  {
    id: "signature.refusal-status",
    level: "should",
    checks: "every invalid signature is answered with 401 or 403",
    why: "A 5xx means that the check itself failed, and it makes a wrong secret look like an outage.",
    run: async (receiver) => {
      const faulty = ["sha256=", "sha256=zz", `sha256=${"g".repeat(64)}`, "sha1=0", "=", `sha256=${"0".repeat(64)}`];
      for (const signature of faulty) {
        const { status } = await receiver.deliver({ body: message(receiver), signature });
        if (status !== 401 && status !== 403) return `answered ${status} to "${signature.slice(0, 12)}"`;
      }
      return null;
    },
  },
];

type Forge = (body: string, receiver: Receiver) => string | string[] | null | Promise<string | string[] | null>;

/** A case that passes if a delivery whose only fault is this signature is refused. */
function forges(
  name: string,
  checks: string,
  forge: Forge,
  { level = "must", why = forgery }: { level?: Level; why?: string } = {},
): ConformanceCase {
  return refuses({
    id: `signature.${name}`,
    level,
    checks,
    why,
    send: async (receiver) => {
      const body = message(receiver);
      return { body, signature: await forge(body, receiver) };
    },
  });
}

function message({ clock }: Receiver): string {
  return messageBody(clock.nowMs());
}

function hmac(key: string, body: Body): string {
  return `sha256=${createHmac("sha256", key).update(body).digest("hex")}`;
}

/** A signature with a random secret. */
function foreign(body: Body): string {
  return hmac(randomBytes(16).toString("hex"), body);
}

function signRewritten(body: string, { sign }: Receiver): Promise<string> {
  return sign(JSON.stringify(JSON.parse(body)));
}

async function doubled(body: string, { sign }: Receiver): Promise<string[]> {
  return [foreign(body), await sign(body)];
}
