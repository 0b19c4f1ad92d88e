/** The base URL of a region's API, unless VERCEL_QUEUE_URL names another server. https://vercel.com/docs/queues/api */
export function vercelQueueUrl(region: string, url: string | null): string {
  return url ?? `https://${region}.vercel-queue.com`;
}
