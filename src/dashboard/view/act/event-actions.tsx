import { Group } from "@mantine/core";

import { SendTestDelivery } from "./send-test-delivery.tsx";

/** Props of `EventActions`. */
export interface EventActionsProps {
  eventId: number;
}

/** What can be done with a stored event beside a replay: send it again as a test, and save it as a fixture. */
export function EventActions({ eventId }: EventActionsProps) {
  const href = `/api/ops/events/${eventId}/fixture`;
  const file = `event-${eventId}.json`;
  return (
    <Group gap="10px 20px" align="end">
      <SendTestDelivery eventId={eventId} />
      <span>
        Save as a fixture for <code>relay trigger</code>:{" "}
        <a href={href} download={file}>
          ids and texts masked
        </a>
        ,{" "}
        <a href={`${href}?text=keep`} download={file}>
          texts as they are
        </a>
      </span>
    </Group>
  );
}
