/** docs/hosting/nginx.conf with addresses of a test. */
import { execFile, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

import { atExit } from "../support/at-exit.ts";
import { eventually } from "../support/eventually.ts";

const run = promisify(execFile);

export interface Certificate {
  certificate: string;
  key: string;
}

/** A certificate for relay.example, signed by itself. */
export async function makeCertificate(folder: string): Promise<Certificate> {
  const [certificate, key] = [join(folder, "fullchain.pem"), join(folder, "privkey.pem")];
  const options = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=relay.example"];
  await run("openssl", ["req", "-x509", ...options, "-keyout", key, "-out", certificate]);
  return { certificate, key };
}

/** The file of docs/hosting, which keeps what nginx writes in this folder, for the user that runs the test. */
export function nginxConfig({ folder, certificate, key }: Certificate & { folder: string }): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  return replaceEach(readFileSync(new URL("../../docs/hosting/nginx.conf", import.meta.url), "utf8"), [
    ["user www-data;", process.getuid?.() === 0 ? "user root;" : ""],
    ["pid /run/nginx.pid;", `pid ${folder}/nginx.pid;`],
    ["http {", `http { access_log off; ${temporary.join(" ")}`],
    ["/etc/ssl/relay/fullchain.pem", certificate],
    ["/etc/ssl/relay/privkey.pem", key],
  ]);
}

export interface RunningNginx {
  stop(): Promise<void>;
}

/**
 * Starts nginx on these ports of 127.0.0.1, before these servers; resolves once it listens. It speaks plain HTTP: QStash's
 * and our own calls would refuse a certificate that is signed by itself.
 */
export async function startNginx(options: {
  folder: string;
  port: number;
  servers: readonly [number, number];
  onLine: (line: string) => void;
}): Promise<RunningNginx> {
  const { folder, port, servers, onLine } = options;
  const plain = replaceEach(nginxConfig({ folder, certificate: "", key: "" }), [
    ["listen 80;", `listen 127.0.0.1:${port};`],
    ["return 308 https://$host$request_uri;", "return 404;"],
    ["listen 443 ssl;", `listen 127.0.0.1:${port} default_server;`],
    ["ssl_certificate ;", ""],
    ["ssl_certificate_key ;", ""],
    ["127.0.0.1:3001", `127.0.0.1:${servers[0]}`],
    ["127.0.0.1:3002", `127.0.0.1:${servers[1]}`],
  ]);
  const config = join(folder, "nginx.conf");
  writeFileSync(config, plain);
  const child = spawn("nginx", ["-p", folder, "-c", config, "-e", "stderr", "-g", "daemon off;"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  child.stderr.on("data", (chunk: Buffer) => onLine(chunk.toString()));
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const abandon = () => child.kill("SIGKILL");
  void closed.then(atExit(abandon));
  await eventually("nginx answers", () =>
    fetch(`http://127.0.0.1:${port}/api/ready`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  return {
    async stop() {
      child.kill("SIGTERM");
      await closed;
    },
  };
}

function replaceEach(text: string, replacements: readonly (readonly [string, string])[]): string {
  let replaced = text;
  for (const [from, to] of replacements) {
    if (!replaced.includes(from)) throw new Error(`docs/hosting/nginx.conf has no "${from}"`);
    replaced = replaced.replace(from, () => to);
  }
  return replaced;
}
