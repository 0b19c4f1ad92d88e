/** X.509 certificates of a test's own, made while it runs; no openssl is needed (RFC 5280, in DER). */
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { onTestFinished } from "vitest";

export interface Authority {
  pem: string;
  /** A key and a certificate for this host name; negative days make one that has expired. */
  issue(host: string, days: number): { key: string; cert: string };
  /** The path of a file with its certificate, for NODE_EXTRA_CA_CERTS; it is gone when the test ends. */
  writeFile(): string;
}

interface Certificate {
  subject: string;
  publicKey: KeyObject;
  signingKey: KeyObject;
  days: number;
  extension: Buffer;
}

const issuer = "Tests";

/** An authority that nobody trusts until told to. */
export function createAuthority(): Authority {
  const own = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const isAuthority = extension("2.5.29.19", der(0x30, der(0x01, Buffer.of(0xff))));
  const signingKey = own.privateKey;
  const pem = encode({ subject: issuer, publicKey: own.publicKey, signingKey, days: 2, extension: isAuthority });
  return {
    pem,
    issue: (host, days) => {
      const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
      const forHost = extension("2.5.29.17", der(0x30, der(0x82, Buffer.from(host))));
      const cert = encode({ subject: host, publicKey, signingKey, days, extension: forHost });
      return { key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(), cert };
    },
    writeFile: () => {
      const folder = mkdtempSync(join(tmpdir(), "relay-certificates-"));
      onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
      writeFileSync(join(folder, "authority.pem"), pem);
      return join(folder, "authority.pem");
    },
  };
}

function encode({ subject, publicKey, signingKey, days, extension: only }: Certificate): string {
  const ecdsaWithSha256 = der(0x30, objectId("1.2.840.10045.4.3.2"));
  const dayMs = 86_400_000;
  const validity = der(0x30, time(Date.now() - 10 * dayMs), time(Date.now() + days * dayMs));
  const signed = der(
    0x30,
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, Buffer.of(1)),
    ecdsaWithSha256,
    name(issuer),
    validity,
    name(subject),
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, der(0x30, only)),
  );
  const signature = der(0x03, Buffer.of(0), sign("sha256", signed, signingKey));
  const base64 = der(0x30, signed, ecdsaWithSha256, signature).toString("base64");
  return `-----BEGIN CERTIFICATE-----\n${base64.replaceAll(/.{64}/g, "$&\n")}\n-----END CERTIFICATE-----\n`;
}

function name(commonName: string): Buffer {
  return der(0x30, der(0x31, der(0x30, objectId("2.5.4.3"), der(0x0c, Buffer.from(commonName)))));
}

function extension(id: string, value: Buffer): Buffer {
  return der(0x30, objectId(id), der(0x04, value));
}

/** As UTCTime, `YYMMDDHHMMSSZ`. */
function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replaceAll(/[-:T]/g, "");
  return der(0x17, Buffer.from(`${digits.slice(2, 14)}Z`));
}

function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const bytes = [first * 40 + second, ...rest].flatMap((arc) => {
    const septets = [arc & 0x7f];
    for (let left = arc >> 7; left > 0; left >>= 7) septets.unshift((left & 0x7f) | 0x80);
    return septets;
  });
  return der(0x06, Buffer.from(bytes));
}

function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const size = content.byteLength;
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.of(tag, ...length), content]);
}
