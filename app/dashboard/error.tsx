"use client";

import { PageError } from "#dashboard/view/page-error.tsx";

/** Shown if a page fails unexpectedly while it is rendered. */
export default function DashboardError({ error, reset }: { error: Error & { digest?: string }; reset: () => void }) {
  return <PageError digest={error.digest} onRetry={reset} />;
}
