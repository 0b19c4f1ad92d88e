import { Anchor, Container, Stack, Text, Title } from "@mantine/core";

/** Replaces Next's own page, whose inline styles our Content-Security-Policy forbids. */
export default function NotFound() {
  return (
    <Container component="main" size={560} py={{ base: 48, sm: 96 }}>
      <Stack gap="md" align="flex-start">
        <Title order={1} size="h2">
          There is no such page
        </Title>
        <Text>
          The{" "}
          <Anchor href="/dashboard" underline="always">
            dashboard
          </Anchor>{" "}
          leads to all pages.
        </Text>
      </Stack>
    </Container>
  );
}
