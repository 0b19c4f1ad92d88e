import { Button, Container, Group, Stack } from "@mantine/core";
import Link from "next/link";
import type { ReactNode } from "react";

import { AutoRefresh } from "./auto-refresh.tsx";
import { PageLinks } from "./page-links.tsx";
import styles from "./shell.module.css";

/** The frame of every page behind the sign-in. */
export function Shell({ children }: { children: ReactNode }) {
  return (
    <div className={styles["shell"]}>
      <a href="#content" className={styles["skip"]}>
        Skip to the content
      </a>
      <header className={styles["header"]}>
        <Container size={1180} className={styles["width"]}>
          <Group justify="space-between" gap={12} mih={56} wrap="nowrap">
            <Link
              href="/dashboard"
              className={styles["brand"]}
              prefetch={false}
              aria-label="Instagram Webhook Relay, overview"
            >
              <Mark />
              <span>
                <span className={styles["brandLong"]}>Instagram Webhook </span>Relay
              </span>
            </Link>
            <Group gap={8} wrap="nowrap">
              <AutoRefresh />
              <form method="post" action="/dashboard/sign-out">
                <Button type="submit" variant="subtle" color="gray" size="xs">
                  Sign out
                </Button>
              </form>
            </Group>
          </Group>
          <PageLinks />
        </Container>
      </header>
      <Container component="main" id="content" size={1180} className={styles["width"]} pt={28} pb={64}>
        <Stack gap={20}>{children}</Stack>
      </Container>
    </div>
  );
}

/** The product's logo. */
export function Mark() {
  return (
    <svg width="22" height="22" viewBox="0 0 22 22" aria-hidden="true">
      <rect width="22" height="22" rx="6" fill="#3b5bdb" />
      <path
        d="M6.5 11h9M12 7.5l3.5 3.5-3.5 3.5"
        fill="none"
        stroke="#fff"
        strokeWidth="1.8"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}
