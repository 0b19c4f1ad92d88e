"use client";

import { Button } from "@mantine/core";
import { useState } from "react";

import { copyText } from "./copy-text.ts";
import { fetchInTime } from "../fetch-in-time.ts";

/** Props of `CopyButton`. */
export interface CopyButtonProps {
  /** The text that the server answers at `path`, a command that asks for it, or the address of this page. */
  what: "payload" | "curl" | "link";
  path: string;
}

const labels = { payload: "Copy", curl: "Copy as curl", link: "Copy link" };

/** Copies exactly what the server holds, or what leads there, and says whether that worked. */
export function CopyButton({ what, path }: CopyButtonProps) {
  const [said, setSaid] = useState("");
  const copy = async () => {
    try {
      await copyText(await textOf(what, path));
      setSaid("Copied");
    } catch {
      setSaid("Not copied: the browser or the server refused");
    }
  };
  return (
    <>
      <Button variant="default" size="compact-sm" onClick={() => void copy()}>
        {labels[what]}
      </Button>
      {/* Always there, because a screen reader announces only what changes in an element that it knows. */}
      <span role="status">{said}</span>
    </>
  );
}

async function textOf(what: CopyButtonProps["what"], path: string): Promise<string> {
  const { origin } = window.location;
  if (what === "link") return `${origin}${path}`;
  if (what === "curl") return `curl --fail-with-body -H "authorization: Bearer $OPS_TOKEN" '${origin}${path}'`;
  const response = await fetchInTime(path, { cache: "no-store" });
  if (!response.ok) throw new Error(`The server answered ${response.status}`);
  return response.text();
}
