import { checkConfiguration, runServers } from "./run-servers.ts";

/** `npm start`: the production server, which `next build` has made. Ends the process. */
export function run(args: string[]): Promise<never> {
  return runServers(args, { command: "npm start", mode: "production" });
}

/** Throws a `CliFailure` for what would keep the server from starting, because a build takes long. */
export const check = checkConfiguration;
