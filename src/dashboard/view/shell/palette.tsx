"use client";

import "@mantine/spotlight/styles.css";

import { Spotlight } from "@mantine/spotlight";
import { useDebouncedValue } from "@mantine/hooks";
import { useRouter } from "next/navigation";
import { useEffect, useState } from "react";

import { pages } from "./pages.ts";

/** What `/api/ops/find` answers. */
interface Found {
  matches: { type: string; id: string; href: string }[];
  reason: string | null;
}

/** An id is at least so long; shorter texts are looked for in the names of pages only. */
const idLengthMin = 4;

/** A dialog that searches the pages, and whatever has the id that is entered. */
export function Palette({ onClose }: { onClose: () => void }) {
  const router = useRouter();
  const [query, setQuery] = useState("");
  const found = useFound(query.trim());
  const matching = pages.filter(({ name, also = "" }) => `${name} ${also}`.toLowerCase().includes(query.toLowerCase()));
  const open = (href: string) => {
    onClose();
    router.push(href);
  };
  return (
    <Spotlight.Root
      forceOpened
      onSpotlightClose={onClose}
      shortcut={null}
      query={query}
      onQueryChange={setQuery}
      closeOnActionTrigger={false}
    >
      <Spotlight.Search placeholder="A page, or any id" aria-label="A page, or any id" maxLength={4_000} />
      <Spotlight.ActionsList>
        {found?.matches.map(({ type, id, href }) => (
          <Spotlight.Action key={`${type} ${id}`} label={id} description={type} onClick={() => open(href)} />
        ))}
        {matching.map(({ href, name }) => (
          <Spotlight.Action key={href} label={name} onClick={() => open(href)} />
        ))}
        {matching.length === 0 && (found?.matches.length ?? 0) === 0 && (
          <Spotlight.Empty>{found === null ? "Nothing yet" : (found.reason ?? "Nothing has this id")}</Spotlight.Empty>
        )}
      </Spotlight.ActionsList>
    </Spotlight.Root>
  );
}

/** What has this id; null while that is unknown. */
function useFound(query: string): Found | null {
  const [asked] = useDebouncedValue(query, 200);
  const [found, setFound] = useState<{ of: string; answer: Found } | null>(null);
  useEffect(() => {
    if (asked.length < idLengthMin) return undefined;
    const leaving = new AbortController();
    void readFound(asked, leaving.signal).then((answer) => {
      if (!leaving.signal.aborted) setFound({ of: asked, answer });
    });
    return () => leaving.abort();
  }, [asked]);
  return found?.of === query ? found.answer : null;
}

async function readFound(query: string, signal: AbortSignal): Promise<Found> {
  const nothing = (reason: string): Found => ({ matches: [], reason });
  try {
    const response = await fetch(`/api/ops/find?${new URLSearchParams({ q: query })}`, { signal });
    const json = (await response.json()) as Found & { error?: { message?: string } };
    return response.ok ? json : nothing(json.error?.message ?? `The server answered ${response.status}`);
  } catch {
    return nothing("The server cannot be reached");
  }
}
