import { runServers } from "./run-servers.ts";

/** `npm start`: the production server, which `next build` has made. Ends the process. */
export function run(args: string[]): Promise<never> {
  return runServers(args, { command: "npm start", mode: "production" });
}
