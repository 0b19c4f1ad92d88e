import { Text, Title } from "@mantine/core";
import Link from "next/link";

/** Shown for a delivery that is not stored. */
export default function DeliveryNotFound() {
  return (
    <>
      <Title order={1} size="h3">
        No such delivery
      </Title>
      <Text size="sm">
        No delivery with this id is stored. A delivery appears here once it is ingested or its forward is reported.
      </Text>
      <Link href="/dashboard/deliveries" prefetch={false}>
        ← Deliveries
      </Link>
    </>
  );
}
