import { serve } from "@hono/node-server";

/** An HTTP server whose requests this function answers, as a route does. */
export async function startFetchServer(answer: (request: Request) => Promise<Response>) {
  let server: ReturnType<typeof serve> | undefined;
  const port = await new Promise<number>((resolve) => {
    server = serve({ fetch: answer, hostname: "127.0.0.1", port: 0 }, (info) => resolve(info.port));
  });
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server?.close(() => resolve());
      }),
  };
}
