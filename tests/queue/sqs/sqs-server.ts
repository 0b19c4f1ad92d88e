import { createHash, createHmac } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";

import { type FauxqsServer, startFauxqs } from "fauxqs";

import { listenSwitchably } from "../../support/switchable-listener.ts";

export interface SqsServer {
  /** Without a slash at the end; the address of a queue is `${url}/000000000000/${name}`. */
  url: string;
  credentials: { region: string; accessKeyId: string; secretAccessKey: string; sessionToken: string | null };
  /** The actions of all requests whose signature was right, in order. */
  actions: string[];
  createQueue: FauxqsServer["createQueue"];
  close: () => Promise<void>;
}

const credentials = {
  region: "eu-central-1",
  accessKeyId: "AKIDEXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
  sessionToken: null,
};
/** The most by which the times of SQS and of a request may differ. */
const skewMsMax = 15 * 60_000;

/**
 * SQS on this machine: the emulator fauxqs, and before it what SQS does and fauxqs does not: a signature of another key, of
 * another body or of another time is refused, as is a session's token.
 */
export async function startSqsServer(): Promise<SqsServer> {
  const emulator = await startFauxqs({ port: 0, logger: false, defaultRegion: credentials.region });
  const actions: string[] = [];
  const listener = await listenSwitchably(
    createServer((request, response) => {
      // The emulator stops while a request waits for a message.
      answer(request, response, { emulator, actions }).catch(() => response.destroy());
    }),
  );
  return {
    url: `http://127.0.0.1:${listener.port}`,
    credentials,
    actions,
    createQueue: (name, options) => emulator.createQueue(name, options),
    async close() {
      await listener.goDown();
      await emulator.stop();
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { emulator, actions }: { emulator: FauxqsServer; actions: string[] },
): Promise<void> {
  const body = await text(request);
  const refused = findRefusal(request, body);
  const send = (status: number, answered: string) =>
    response.writeHead(status, { "content-type": "application/x-amz-json-1.0" }).end(answered);
  if (refused !== null) {
    send(400, JSON.stringify({ __type: `com.amazon.coral.service#${refused[0]}`, message: refused[1] }));
    return;
  }
  const action = String(request.headers["x-amz-target"]);
  actions.push(action.replace("AmazonSQS.", ""));
  const { QueueUrl: queueUrl, ...input } = JSON.parse(body) as { QueueUrl: string };
  const path = new URL(queueUrl).pathname;
  const answered = await fetch(emulator.address, {
    method: "POST",
    headers: { "content-type": "application/x-amz-json-1.0", "x-amz-target": action },
    body: JSON.stringify({ ...input, QueueUrl: `http://sqs.${credentials.region}.localhost:${emulator.port}${path}` }),
  });
  send(answered.status, await answered.text());
}

/** Type and message of SQS's refusal, by another implementation of the signature than the product's; null if it is right. */
function findRefusal({ headers }: IncomingMessage, body: string): [string, string] | null {
  const given = /^AWS4-HMAC-SHA256 Credential=([^,]+), SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/;
  const [, credential = "", names = "", signature] = given.exec(headers.authorization ?? "") ?? [];
  const [accessKeyId, day = "", region = "", service = "", end = ""] = credential.split("/");
  if (accessKeyId !== credentials.accessKeyId)
    return ["UnrecognizedClientException", "The security token included in the request is invalid."];
  if (headers["x-amz-security-token"] !== undefined)
    return ["ExpiredTokenException", "The security token included in the request is expired"];
  const date = String(headers["x-amz-date"]);
  const at = Date.parse(date.replace(/^(....)(..)(..T..)(..)(..)Z$/, "$1-$2-$3:$4:$5Z"));
  if (!(Math.abs(Date.now() - at) < skewMsMax))
    return ["InvalidSignatureException", `Signature expired: ${date} is now earlier than …`];

  const lines = names.split(";").map((name) => `${name}:${String(headers[name])}\n`);
  const canonical = ["POST", "/", "", lines.join(""), names, createHash("sha256").update(body).digest("hex")].join(
    "\n",
  );
  const scope = [day, region, service, end];
  const toSign = ["AWS4-HMAC-SHA256", date, scope.join("/"), createHash("sha256").update(canonical).digest("hex")];
  const hmac = (key: Buffer, part: string) => createHmac("sha256", key).update(part).digest();
  const key = scope.reduce(hmac, Buffer.from(`AWS4${credentials.secretAccessKey}`));
  const isSigned = ["host", "x-amz-date", "x-amz-target"].every((name) => names.split(";").includes(name));
  const isRight =
    isSigned &&
    scope.join("/") === `${date.slice(0, 8)}/${credentials.region}/sqs/aws4_request` &&
    hmac(key, toSign.join("\n")).toString("hex") === signature;
  return isRight
    ? null
    : ["InvalidSignatureException", "The request signature we calculated does not match the signature you provided."];
}
