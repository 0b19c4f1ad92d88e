import "@mantine/core/styles.css";
import "@mantine/charts/styles.css";

import { ColorSchemeScript, createTheme, mantineHtmlProps, MantineProvider } from "@mantine/core";
import type { Metadata, Viewport } from "next";
import type { ReactNode } from "react";

export const metadata: Metadata = {
  title: { default: "Instagram Webhook Relay", template: "%s · Instagram Webhook Relay" },
  description: "Receives Instagram webhooks, queues them and stores each event once.",
  robots: { index: false, follow: false },
};

export const viewport: Viewport = { colorScheme: "light dark" };

const theme = createTheme({ primaryColor: "indigo", primaryShade: 8, defaultRadius: "md" });

export default function RootLayout({ children }: { children: ReactNode }) {
  return (
    <html lang="en" {...mantineHtmlProps}>
      <head>
        <ColorSchemeScript defaultColorScheme="auto" />
      </head>
      <body>
        <MantineProvider theme={theme} defaultColorScheme="auto">
          {children}
        </MantineProvider>
      </body>
    </html>
  );
}
