import type { Advice } from "./check.ts";
import { type AdviceRule, findAdvice } from "./find-advice.ts";

/** The variable or option that holds the address. */
export interface AddressSource {
  variable: string;
}

/** Explains why an address could not be reached, from the error of the system, Node or a library. */
export function explainNetwork(error: unknown, { variable }: AddressSource): Advice {
  const { cause, remedy } = findAdvice(rules, networkCodeOf(error), unexpected);
  return { cause, remedy: remedy.replaceAll("{variable}", variable) };
}

/**
 * The code that the system, Node or Postgres gives for an error: its own, that of its cause, or that of the first of
 * several addresses that were tried. Without a code, the name of the error.
 */
export function networkCodeOf(error: unknown): string {
  for (let at: unknown = error; at instanceof Error; at = at instanceof AggregateError ? at.errors[0] : at.cause) {
    const { code } = at as { code?: unknown };
    if (typeof code === "string") return code;
    if (at.name === "TimeoutError" || /^timeout expired$/.test(at.message)) return "ETIMEDOUT";
    if (/^Connection terminated|socket hang up/.test(at.message)) return "ECONNRESET";
  }
  return error instanceof Error && error.name !== "Error" ? error.name : "failed";
}

const checkAddress = "Check the host and the port in {variable}";

const rules: readonly AdviceRule[] = [
  {
    when: /^ENOTFOUND$/,
    cause: "No host has that name: it is mistyped or no longer exists, or this machine has no Internet connection.",
    remedy: "Check the host in {variable}, and whether this machine can resolve other names.",
  },
  {
    when: /^EAI_/,
    cause: "The name server did not answer.",
    remedy: "Check this machine's network and DNS; the name in {variable} may be right.",
  },
  {
    when: /^ECONNREFUSED$/,
    cause: "Nothing listens at that address and port.",
    remedy: "Start the server there, or correct {variable}.",
  },
  {
    when: /^(ETIMEDOUT|UND_ERR_\w*TIMEOUT)$/,
    cause:
      "No answer came: a firewall or a list of allowed addresses drops the connection, the port is wrong, or the server hangs.",
    remedy: `${checkAddress}, and whether the server accepts connections from here.`,
  },
  {
    when: /^(ENETUNREACH|EHOSTUNREACH|EADDRNOTAVAIL)$/,
    cause: "There is no route to that address, often because it is an IPv6 address and this network has only IPv4.",
    remedy: "Set {variable} to an address that IPv4 can reach (of a database, its pooler), or use another network.",
  },
  {
    when: /^CERT_HAS_EXPIRED$/,
    cause: "The server's certificate has expired.",
    remedy: "Renew the certificate at the address in {variable}.",
  },
  {
    when: /^CERT_NOT_YET_VALID$/,
    cause: "The server's certificate is not valid yet: the clock of this machine or of the issuer is wrong.",
    remedy: "Set this machine's clock, or wait until the certificate is valid.",
  },
  {
    when: /SELF_SIGNED/,
    cause: "The server's certificate is signed by itself or by an authority that this machine does not know.",
    remedy:
      "Give the server a certificate of a public authority, or trust its own with NODE_EXTRA_CA_CERTS, or with sslrootcert in DATABASE_URL.",
  },
  {
    when: /^UNABLE_TO_|^CERT_/,
    cause:
      "The server's certificate cannot be verified, often because the server does not send the intermediate certificate.",
    remedy: "Make the server at the address in {variable} send its whole chain of certificates.",
  },
  {
    when: /ALTNAME_INVALID/,
    cause: "The server's certificate is for another host name.",
    remedy: "Set {variable} to the name in the certificate, or give the server a certificate for this name.",
  },
  {
    when: /^(EPROTO$|ERR_SSL_|ERR_TLS_)/,
    cause: "The server does not speak TLS on this port, or only versions that are no longer safe.",
    remedy: "Check the scheme (https or http) and the port in {variable}.",
  },
  {
    when: /^(ECONNRESET|EPIPE|UND_ERR_SOCKET|HPE_\w+)$/,
    cause: "The connection was closed, or the server speaks another protocol: a proxy, a firewall, or the wrong port.",
    remedy: `${checkAddress}.`,
  },
  {
    when: /^TypeError$|^ERR_INVALID_/,
    cause:
      "The request could not be built: an address or a token contains a character that is not allowed, or the port is one that fetch blocks.",
    remedy: "Copy {variable} and the token again.",
  },
];

const unexpected: Advice = { cause: "The connection failed in an unexpected way.", remedy: `${checkAddress}.` };
