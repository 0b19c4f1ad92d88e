/** The queues that QUEUE can name; the first is the default. */
export const queueNames = ["qstash", "sqs", "cloud-tasks", "redis", "postgres", "vercel"] as const;
export type QueueName = (typeof queueNames)[number];
