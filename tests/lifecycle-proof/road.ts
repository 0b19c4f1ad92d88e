/** By RFC 6761 a name that leads nowhere in the world. */
export const qstashHost = "qstash.test";

/**
 * For `node --import`, and for `import()` in a thread: makes QStash's name take so long to resolve, to this machine.
 * Over the Internet its name, TCP and TLS take a round trip or two each before a request can leave. On one machine they
 * take no time, and a publish that was merely started would slip out while the function's answer is on its way.
 */
export function roadPreload(roadMs: number): string {
  return `data:text/javascript,${encodeURIComponent(`
import dns from "node:dns";
const { lookup } = dns;
dns.lookup = (name, options, done) =>
  name === "${qstashHost}" ? setTimeout(lookup, ${roadMs}, "127.0.0.1", options, done) : lookup(name, options, done);
`)}`;
}
