"use client";

import { ColorSchemeScript, createTheme, MantineProvider } from "@mantine/core";
import { type ReactNode, useState } from "react";

const theme = createTheme({ primaryColor: "indigo", primaryShade: 8, defaultRadius: "md" });

/** Mantine's part of the head. */
export function ThemeScript({ nonce }: { nonce: string | undefined }) {
  // A browser hides the attribute's value from scripts, so that it never equals what React expects there.
  return <ColorSchemeScript defaultColorScheme="auto" nonce={nonce} suppressHydrationWarning />;
}

export function Theme({ nonce, children }: { nonce: string | undefined; children: ReactNode }) {
  // A refresh brings another response's nonce; the document keeps the policy that it was loaded with.
  const [ofDocument] = useState(nonce ?? "");
  return (
    <MantineProvider theme={theme} defaultColorScheme="auto" getStyleNonce={() => ofDocument}>
      {children}
    </MantineProvider>
  );
}
