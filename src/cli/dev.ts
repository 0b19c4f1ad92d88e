import { runServers } from "./run-servers.ts";

/** `npm run dev`: the server from source, which compiles what is saved at the next request. Ends the process. */
export function run(args: string[]): Promise<never> {
  return runServers(args, { command: "npm run dev", mode: "development" });
}
