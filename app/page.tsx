import { Button, Container, Stack, Text, Title } from "@mantine/core";

import { Mark } from "#dashboard/view/shell/mark.tsx";

/** The front page; it needs no sign-in. */
export default function HomePage() {
  return (
    <Container component="main" size={560} py={{ base: 48, sm: 96 }}>
      <Stack gap="md" align="flex-start">
        <Mark />
        <Title order={1} size="h2">
          Instagram Webhook Relay
        </Title>
        <Text>
          This server receives Instagram’s webhooks, answers Meta at once, passes the events to a queue and stores each
          of them exactly once.
        </Text>
        <Text>
          The dashboard compares the edge and the Node runtime, and follows every delivery from Meta to its handlers.
        </Text>
        <Button component="a" href="/dashboard" mt="xs">
          Open the dashboard
        </Button>
      </Stack>
    </Container>
  );
}
