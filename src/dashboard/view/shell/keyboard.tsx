"use client";

import { Button } from "@mantine/core";
import { useWindowEvent } from "@mantine/hooks";
import dynamic from "next/dynamic";
import { useRouter } from "next/navigation";
import { useRef, useState } from "react";

import { usePreferences } from "../preferences.tsx";
import { type KeyAction, keyAction } from "./key-actions.ts";
import { closeMenus, focusFind, focusRow, isTyping } from "./page-focus.ts";
import styles from "./shell.module.css";

// Loaded when first wanted: together they are a tenth of a page's script.
const Palette = dynamic(async () => (await import("./palette.tsx")).Palette, { ssr: false });
const KeyHelp = dynamic(async () => (await import("./key-help.tsx")).KeyHelp, { ssr: false });

/** A page opens if its key follows `g` within this time. */
const leadMs = 1_500;

/** The keys of every page, the palette, and the button that shows the keys. */
export function Keyboard() {
  const router = useRouter();
  const { hasKeys } = usePreferences();
  // Null until it is first wanted, and 0 likewise.
  const [isHelpOpen, setIsHelpOpen] = useState<boolean | null>(null);
  const [searches, setSearches] = useState(0);
  const ledAt = useRef(-leadMs);

  const perform = (action: KeyAction, pressedAt: number): boolean => {
    if (action.do === "open") router.push(action.href);
    if (action.do === "lead") ledAt.current = pressedAt;
    if (action.do === "help") setIsHelpOpen(true);
    if (action.do === "palette" || (action.do === "find" && !focusFind())) setSearches(searches + 1);
    if (action.do === "next" || action.do === "previous") return focusRow(action.do === "next" ? 1 : -1);
    return action.do === "close" ? closeMenus() : true;
  };
  useWindowEvent("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing) return;
    const isLed = event.timeStamp - ledAt.current < leadMs;
    ledAt.current = -leadMs;
    const action = keyAction(event, { hasKeys, isLed, isTaken: isTyping(event.target) });
    if (action !== null && perform(action, event.timeStamp)) event.preventDefault();
  });
  return (
    <>
      <Button
        variant="default"
        size="compact-sm"
        className={styles["help"]}
        aria-label="Keyboard shortcuts"
        onClick={() => setIsHelpOpen(true)}
      >
        ?
      </Button>
      {isHelpOpen !== null && <KeyHelp opened={isHelpOpen} onClose={() => setIsHelpOpen(false)} />}
      {searches > 0 && <Palette searches={searches} />}
    </>
  );
}
