import { Container, Group, Stack } from "@mantine/core";
import Link from "next/link";
import type { ReactNode } from "react";

import type { Preferences } from "../../preferences.ts";
import { type Holder, ProvideHolder } from "../holder.tsx";
import { ProvidePreferences } from "../preferences.tsx";
import { AccountMenu } from "./account-menu.tsx";
import { FindBox } from "./find-box.tsx";
import { Keyboard } from "./keyboard.tsx";
import { Mark } from "./mark.tsx";
import { PageMenu, PageNav } from "./page-nav.tsx";
import styles from "./shell.module.css";

/** Props of `Shell`. */
export interface ShellProps {
  preferences: Preferences;
  /** Who is signed in; null for a page that shows nothing of it. */
  holder: Holder | null;
  children: ReactNode;
}

/** The frame of every page behind the sign-in. */
export function Shell({ preferences, holder, children }: ShellProps) {
  return (
    <ProvidePreferences preferences={preferences}>
      <div className={styles["shell"]}>
        <a href="#content" className={styles["skip"]}>
          Skip to the content
        </a>
        <header className={styles["header"]}>
          <Container size={1180} className={styles["width"]}>
            <Group justify="space-between" gap={12} mih={52} wrap="nowrap">
              <Link
                href="/dashboard"
                className={styles["brand"]}
                prefetch={false}
                aria-label="Instagram Webhook Relay, status"
              >
                <Mark />
                <span>
                  <span className={styles["brandLong"]}>Instagram Webhook </span>Relay
                </span>
              </Link>
              <Group gap={8} wrap="nowrap">
                <FindBox />
                <PageMenu />
                <Keyboard />
                <AccountMenu holder={holder} />
              </Group>
            </Group>
            <PageNav />
          </Container>
        </header>
        <Container component="main" id="content" size={1180} className={styles["width"]} pt={24} pb={64}>
          <Stack gap={20}>
            <ProvideHolder holder={holder}>{children}</ProvideHolder>
          </Stack>
        </Container>
      </div>
    </ProvidePreferences>
  );
}
