import type { ReactNode } from "react";

import { Shell } from "#dashboard/view/shell.tsx";

/** The frame of every page behind the sign-in. */
export default function DashboardLayout({ children }: { children: ReactNode }) {
  return <Shell>{children}</Shell>;
}
