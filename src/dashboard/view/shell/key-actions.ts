import { pages } from "./pages.ts";

/** What a key does. */
export type KeyAction =
  | { do: "find" | "palette" | "help" | "next" | "previous" | "close" | "lead" }
  | { do: "open"; href: string };

/** What is known when a key is pressed. */
export interface KeyState {
  /** Whether single keys act at all. */
  hasKeys: boolean;
  /** Whether `g` was pressed just before. */
  isLed: boolean;
  /** Whether the focus is where keys are typed, or in a dialog, which has keys of its own. */
  isTaken: boolean;
}

type Pressed = Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey">;

/** The keys, for the help. */
export const keys = [
  { keys: ["/"], does: "Find by id" },
  { keys: ["j"], does: "Next row" },
  { keys: ["k"], does: "Previous row" },
  { keys: ["Enter"], does: "Open the row" },
  ...pages.flatMap(({ key, name }) => (key === undefined ? [] : [{ keys: ["g", key], does: name }])),
  { keys: ["?"], does: "These shortcuts" },
  { keys: ["Esc"], does: "Close a menu or a dialog" },
  { keys: ["Ctrl K", "⌘ K"], does: "Search pages and ids", isChoice: true },
];

const single: Record<string, KeyAction> = {
  "/": { do: "find" },
  "?": { do: "help" },
  j: { do: "next" },
  k: { do: "previous" },
  g: { do: "lead" },
};

/** What a pressed key does; null for nothing of ours. Only the palette's key, which has a modifier, acts while typing. */
export function keyAction(pressed: Pressed, { hasKeys, isLed, isTaken }: KeyState): KeyAction | null {
  const { key, ctrlKey, metaKey, altKey } = pressed;
  if (key.toLowerCase() === "k" && ctrlKey !== metaKey && !altKey) return { do: "palette" };
  if (key === "Escape") return { do: "close" };
  if (!hasKeys || isTaken || ctrlKey || metaKey || altKey) return null;
  if (!isLed) return single[key] ?? null;
  const page = pages.find((one) => one.key === key);
  return page === undefined ? null : { do: "open", href: page.href };
}
