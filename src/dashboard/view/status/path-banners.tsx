import { Alert } from "@mantine/core";

import type { QueueView } from "../../status/queue-view.ts";
import type { PathFaults } from "../../status/read-path.ts";

/** Props of `PathFaultBanners`. */
export interface PathFaultBannersProps extends PathFaults {
  queue: Pick<QueueView, "title" | "push">;
}

/** Faults that stop every delivery; they are shown before the first delivery too. */
export function PathFaultBanners({ configuration, redirectsTo, foreignStatus, queue }: PathFaultBannersProps) {
  const lost = queue.push
    ? "published batches do not arrive, and neither do the relay’s own reports"
    : "published batches wait for maintenance, and the relay’s own reports do not arrive";
  return (
    <>
      {configuration !== null && (
        <Alert role="alert" color="red.9" variant="filled" title="The configuration is incomplete">
          {configuration}. Until this is corrected, deliveries are refused or do not arrive.
        </Alert>
      )}
      {redirectsTo !== null && (
        <Alert role="alert" color="red.9" variant="filled" title="RELAY_URL redirects">
          It redirects to {redirectsTo}. {queue.push ? queue.title : "The relay"} does not follow redirects, so {lost}.{" "}
          {redirectAdvice(redirectsTo)}
        </Alert>
      )}
      {foreignStatus !== null && (
        <Alert role="alert" color="red.9" variant="filled" title="Another program answers at RELAY_URL">
          It answers {foreignStatus} where the relay’s own route would answer 405, so {lost}. Set RELAY_URL to the
          address of this relay and deploy again.
        </Alert>
      )}
    </>
  );
}

function redirectAdvice(leadsTo: string): string {
  return leadsTo.startsWith("https://vercel.com/sso-api")
    ? "This is Vercel’s Deployment Protection: turn on Protection Bypass for Automation and deploy again."
    : "Set RELAY_URL to that address and deploy again.";
}
