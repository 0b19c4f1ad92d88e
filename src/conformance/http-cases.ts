import { Agent } from "node:http";
import { Agent as SecureAgent } from "node:https";

import {
  accepts,
  type ConformanceCase,
  faultIfBroken,
  faultUnlessAccepted,
  faultUnlessRefused,
  refuses,
} from "./conformance-case.ts";
import { messageBody } from "./deliveries.ts";

/** What is around the deliveries. */
export const httpCases: ConformanceCase[] = [
  {
    id: "http.no-redirect",
    level: "must",
    checks: "a delivery is answered at this address, not sent on to another",
    why: "Meta is not known to follow redirects: www, a slash at the end, https and sign-in pages are the usual ones.",
    run: async (receiver) => {
      const { status, headers } = await receiver.deliver({ body: messageBody(receiver.clock.nowMs()) });
      return status >= 300 && status < 400 ? `answered ${status} to ${headers.location ?? "nowhere"}` : null;
    },
  },
  accepts({
    id: "http.user-agent",
    level: "must",
    checks: "taken: Meta's older User-Agent, and none",
    why: "Meta documents none and has changed it; bot filters in front of a webhook look at it.",
    send: ({ clock }) =>
      ["facebookplatform/1.0 (+http://developers.facebook.com)", null].map((agent) => ({
        body: messageBody(clock.nowMs()),
        headers: { "User-Agent": agent },
      })),
  }),
  {
    id: "http.small-answer",
    level: "should",
    checks: "the answer is short and does not repeat the delivery",
    why: "Meta ignores it, and what customers write should not travel twice.",
    run: async (receiver) => {
      const { text } = await receiver.deliver({ body: messageBody(receiver.clock.nowMs()) });
      if (text.includes("example.com")) return "the answer holds the message's text";
      return text.length > 1_024 ? `the answer has ${text.length} characters` : null;
    },
  },
  refuses({
    id: "http.methods",
    level: "should",
    checks: "PUT, PATCH and DELETE are refused",
    why: "Meta uses GET and POST; 405 tells others so.",
    send: ({ clock }) => ["PUT", "PATCH", "DELETE"].map((method) => ({ body: messageBody(clock.nowMs()), method })),
  }),
  {
    id: "http.head",
    level: "should",
    checks: "a HEAD, and a GET that is no handshake, break nothing",
    why: "Monitors and people try the address.",
    run: async (receiver) => {
      for (const method of ["HEAD", "GET"]) {
        const fault = faultIfBroken(await receiver.get({}, method));
        if (fault !== null) return `${method}: ${fault}`;
      }
      return null;
    },
  },
  {
    id: "http.connection",
    level: "should",
    checks: "deliveries, a forged one among them, share a connection",
    why: "Who refuses without reading the body, and keeps the connection, takes the rest for the next request.",
    run: async (receiver) => {
      const options = { keepAlive: true, maxSockets: 1 };
      const agent = receiver.url.startsWith("https:") ? new SecureAgent(options) : new Agent(options);
      try {
        for (const isForged of [false, true, false]) {
          const body = messageBody(receiver.clock.nowMs());
          const signature = isForged ? { signature: "sha256=" } : {};
          const answer = await receiver.deliver({ body, agent, ...signature });
          const fault = isForged ? faultUnlessRefused(answer) : faultUnlessAccepted(answer);
          if (fault !== null) return fault;
        }
        return null;
      } finally {
        agent.destroy();
      }
    },
  },
];
