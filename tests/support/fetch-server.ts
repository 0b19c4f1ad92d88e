import { serve, type ServerType } from "@hono/node-server";

export interface FetchServer {
  /** Without a slash at the end. */
  url: string;
  close(): Promise<void>;
}

/** Answers requests by a function of ours, as Next calls a route. */
export async function startFetchServer(answer: (request: Request) => Promise<Response>): Promise<FetchServer> {
  let server: ServerType | undefined;
  const port = await new Promise<number>((resolve) => {
    server = serve({ fetch: answer, hostname: "127.0.0.1", port: 0 }, (info) => resolve(info.port));
  });
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server?.close(() => resolve());
        if (server !== undefined && "closeAllConnections" in server) server.closeAllConnections();
      }),
  };
}
