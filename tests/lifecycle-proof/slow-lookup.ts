/** The reserved domain `test` never resolves on the Internet (RFC 6761, 6.2). */
export const qstashHost = "qstash.test";

/**
 * A module for `node --import`, and for `import()` in a thread, with which QStash's host name resolves to this machine
 * after `connectMs`. Over the Internet the name, TCP and TLS each take a round trip or two before a request can leave. On
 * one machine they take no time, and an unregistered publish would leave while the function's answer is on its way.
 */
export function slowLookupPreload(connectMs: number): string {
  return `data:text/javascript,${encodeURIComponent(`
import dns from "node:dns";
const { lookup } = dns;
dns.lookup = (name, options, done) =>
  name === "${qstashHost}" ? setTimeout(lookup, ${connectMs}, "127.0.0.1", options, done) : lookup(name, options, done);
`)}`;
}
