import type { ReactNode } from "react";

import { Shell } from "#dashboard/view/shell/shell.tsx";

import { readPreferences } from "./preferences.ts";
import { readHolder } from "./signed-in.ts";

/** The frame of every page behind the sign-in. */
export default async function DashboardLayout({ children }: { children: ReactNode }) {
  const [preferences, holder] = await Promise.all([readPreferences(), readHolder()]);
  return <Shell {...{ preferences, holder }}>{children}</Shell>;
}
