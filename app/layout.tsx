import "@mantine/core/styles.css";

import { mantineHtmlProps } from "@mantine/core";
import type { Metadata, Viewport } from "next";
import { headers } from "next/headers";
import type { ReactNode } from "react";

import { Theme, ThemeScript } from "#dashboard/view/theme.tsx";

export const metadata: Metadata = {
  title: { default: "Instagram Webhook Relay", template: "%s · Instagram Webhook Relay" },
  description: "Receives Instagram webhooks, queues them and stores each event once.",
  robots: { index: false, follow: false },
};

export const viewport: Viewport = { colorScheme: "light dark" };

/** The document of every page. */
export default async function RootLayout({ children }: { children: ReactNode }) {
  const nonce = (await headers()).get("x-nonce");
  return (
    <html lang="en" {...mantineHtmlProps}>
      <head>
        <ThemeScript nonce={nonce} />
      </head>
      <body>
        <Theme nonce={nonce}>{children}</Theme>
      </body>
    </html>
  );
}
