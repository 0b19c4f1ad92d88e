import { Agent } from "node:http";
import { Agent as SecureAgent } from "node:https";

import {
  accepts,
  type ConformanceCase,
  faultIfBroken,
  faultUnless200,
  faultUnlessAccepted,
  faultUnlessRefused,
  refuses,
} from "./conformance-case.ts";
import { messageBody } from "./deliveries.ts";

/** Redirects, methods, headers and connections. */
export const httpCases: ConformanceCase[] = [
  {
    id: "http.no-redirect",
    level: "must",
    checks: "a delivery is not redirected to another address",
    why: "Meta is not known to follow redirects. Usual ones lead to www, to a slash at the end, to https or to a sign-in page.",
    run: async (receiver) => {
      const answer = await receiver.deliver({ body: messageBody(receiver.clock.nowMs()) });
      return answer.status >= 300 && answer.status < 400 ? faultUnless200(answer) : null;
    },
  },
  accepts({
    id: "http.user-agent",
    level: "must",
    checks: "accepted: Meta's older User-Agent, and none",
    why: "Meta documents none and has changed it; bot filters in front of a webhook check it.",
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
    why: "Meta ignores the answer, and customers' messages should not be sent more often than necessary.",
    run: async (receiver) => {
      const { text } = await receiver.deliver({ body: messageBody(receiver.clock.nowMs()) });
      if (text.includes("example.com")) return "the answer contains the message's text";
      return text.length > 1_024 ? `the answer has ${text.length} characters` : null;
    },
  },
  refuses({
    id: "http.methods",
    level: "should",
    checks: "PUT, PATCH and DELETE are refused",
    why: "Meta uses only GET and POST. The status for other methods is 405.",
    send: ({ clock }) => ["PUT", "PATCH", "DELETE"].map((method) => ({ body: messageBody(clock.nowMs()), method })),
  }),
  {
    id: "http.head",
    level: "should",
    checks: "a HEAD, and a GET that is no handshake, cause no error",
    why: "Monitors and people open the address.",
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
    checks: "after a refused delivery the connection still works",
    why: "A receiver that refuses without reading the body, and keeps the connection, reads the rest as the next request.",
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
