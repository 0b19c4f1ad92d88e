"use client";

import "./theme.css";

import { ColorSchemeScript, createTheme, MantineProvider } from "@mantine/core";
import { type ReactNode, useState } from "react";

const theme = createTheme({
  primaryColor: "indigo",
  primaryShade: 8,
  defaultRadius: "md",
  // Locking the page's scroll adds a style element without our nonce, which the pages' policy forbids.
  components: { Modal: { defaultProps: { lockScroll: false } } },
});

/** Mantine's script in the head. `nonce` is null on a page for which proxy.ts did not make one. */
export function ThemeScript({ nonce }: { nonce: string | null }) {
  // A browser hides the attribute's value from scripts, so React would report a difference.
  return <ColorSchemeScript defaultColorScheme="auto" nonce={nonce ?? undefined} suppressHydrationWarning />;
}

/** Mantine's styles for the whole page. */
export function Theme({ nonce, children }: { nonce: string | null; children: ReactNode }) {
  // A refresh brings the nonce of another response, but the document keeps the policy that it was loaded with.
  const [ofDocument] = useState(nonce ?? "");
  return (
    <MantineProvider theme={theme} defaultColorScheme="auto" getStyleNonce={() => ofDocument}>
      {children}
    </MantineProvider>
  );
}
