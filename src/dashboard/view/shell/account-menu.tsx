"use client";

import { Button, Stack } from "@mantine/core";
import { useSyncExternalStore } from "react";

import { liveChoices } from "../../preferences.ts";
import { ActButton } from "../act-button.tsx";
import type { Holder } from "../holder.tsx";
import { usePreferences } from "../preferences.tsx";
import text from "../text.module.css";
import styles from "./page-nav.module.css";

/** Who is signed in, and what this reader chose. Its forms work without JavaScript. */
export function AccountMenu({ holder }: { holder: Holder | null }) {
  const { zone, showsText, liveSeconds, hasKeys } = usePreferences();
  const ofBrowser = useBrowserZone();
  const zones = [...new Set(["UTC", zone, ofBrowser ?? "UTC"])];
  return (
    <details className={styles["account"]} data-closes>
      <summary>{holder === null ? "Account" : holder.name}</summary>
      <div className={styles["panel"]}>
        <Stack gap={14} p={8} miw={230}>
          {holder !== null && (
            <span>
              Signed in as <strong>{holder.name}</strong>, role {holder.role}
            </span>
          )}
          <Choice name="zone" legend="Times in" chosen={zone} options={zones.map((one) => [one, one])} />
          <Choice
            name="text"
            legend="Text of messages in lists"
            chosen={showsText ? "shown" : "hidden"}
            options={[
              ["hidden", "Hidden"],
              ["shown", "Shown"],
            ]}
          />
          <Choice
            name="live"
            legend="Look for news"
            chosen={`${liveSeconds ?? "off"}`}
            options={liveChoices.map((seconds) =>
              seconds === null ? ["off", "Never"] : [`${seconds}`, seconds === 60 ? "Each minute" : `${seconds} s`],
            )}
          />
          <Choice
            name="keys"
            legend="Single-key shortcuts"
            chosen={hasKeys ? "on" : "off"}
            options={[
              ["on", "On"],
              ["off", "Off"],
            ]}
          />
          <form method="post" action="/dashboard/sign-out">
            <Button type="submit" variant="default" size="xs">
              Sign out
            </Button>
          </form>
          {holder !== null && (
            <ActButton
              label="End all my sessions"
              isForReaders
              request={{ path: "/api/ops/sessions/end" }}
              confirm={{
                title: "End all your sessions?",
                sentence: `Every browser that is signed in as ${holder.name} is signed out at once, this one too. The token itself stays valid.`,
              }}
            />
          )}
        </Stack>
      </div>
    </details>
  );
}

interface ChoiceProps {
  name: string;
  legend: string;
  chosen: string;
  options: readonly (readonly [value: string, label: string])[];
}

/** A button for each option; a click saves it and comes back to this page. */
function Choice({ name, legend, chosen, options }: ChoiceProps) {
  return (
    <form method="post" action="/dashboard/preferences" role="group" aria-label={legend}>
      <span className={text["meaning"]} style={{ flexBasis: "100%" }}>
        {legend}
      </span>
      {options.map(([value, label]) => (
        <Button
          key={value}
          type="submit"
          size="compact-xs"
          name={name}
          value={value}
          variant={value === chosen ? "filled" : "default"}
          aria-pressed={value === chosen}
        >
          {label}
        </Button>
      ))}
    </form>
  );
}

/** The browser's own zone, which the server cannot know; null until the page runs in the browser. */
function useBrowserZone(): string | null {
  return useSyncExternalStore(
    neverChanges,
    () => new Intl.DateTimeFormat().resolvedOptions().timeZone,
    () => null,
  );
}

function neverChanges() {
  return () => {};
}
