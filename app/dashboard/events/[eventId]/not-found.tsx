import { Text, Title } from "@mantine/core";
import Link from "next/link";

/** Shown for an event that is not stored. */
export default function EventNotFound() {
  return (
    <>
      <Title order={1} size="h3">
        No such event
      </Title>
      <Text size="sm">
        No event has this id. Events are dropped after the retention that PAYLOAD_RETENTION_DAYS sets; search for its
        key to see whether it ever came.
      </Text>
      <Link href="/dashboard/events" prefetch={false}>
        All events
      </Link>
    </>
  );
}
