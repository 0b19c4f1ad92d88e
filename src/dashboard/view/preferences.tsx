"use client";

import { createContext, type ReactNode, useContext } from "react";

import { defaultPreferences, type Preferences } from "../preferences.ts";

const context = createContext(defaultPreferences);

/** Gives the reader's preferences to every component below. */
export function ProvidePreferences({ preferences, children }: { preferences: Preferences; children: ReactNode }) {
  return <context.Provider value={preferences}>{children}</context.Provider>;
}

/** What the reader chose. A server component reads `readPreferences()` instead. */
export function usePreferences(): Preferences {
  return useContext(context);
}
