import { Text, Title } from "@mantine/core";
import Link from "next/link";

export default function DeliveryNotFound() {
  return (
    <>
      <Title order={1} size="h3">
        No such delivery
      </Title>
      <Text size="sm">
        Neither the consumer nor a report has brought this id. A delivery appears here as soon as one of them has.
      </Text>
      <Link href="/dashboard" prefetch={false}>
        ← Overview
      </Link>
    </>
  );
}
