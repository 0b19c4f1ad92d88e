"use client";

import "@mantine/spotlight/styles.css";

import { Spotlight, spotlight } from "@mantine/spotlight";
import { useDebouncedValue } from "@mantine/hooks";
import { useRouter } from "next/navigation";
import { useEffect, useState } from "react";

import type { FindAnswer } from "../../find/find.ts";
import { questionLengthMax } from "../../find/find-question.ts";
import text from "../text.module.css";
import { pages } from "./pages.ts";
import styles from "./shell.module.css";
import { fetchInTime, pollLimitMs } from "../fetch-in-time.ts";

/** What the palette shows of the answer of `/api/ops/find`. */
type Found = Pick<FindAnswer, "matches" | "reason">;

/** An id is at least so long; shorter texts are looked for in the names of pages only. */
const idLengthMin = 4;

/** A dialog that searches the pages, and whatever has the id that is entered. It opens whenever `searches` is raised. */
export function Palette({ searches }: { searches: number }) {
  const router = useRouter();
  const [query, setQuery] = useState("");
  const found = useFound(query.trim());
  useEffect(() => {
    if (searches > 0) spotlight.open();
  }, [searches]);

  const matching = pages.filter(({ name, also = "" }) => `${name} ${also}`.toLowerCase().includes(query.toLowerCase()));
  const action = (href: string, label: string, description?: string) => (
    <Spotlight.Action
      key={`${href} ${description}`}
      label={label}
      {...(description === undefined ? {} : { description })}
      onClick={() => router.push(href)}
    />
  );
  return (
    <Spotlight.Root
      shortcut={null}
      query={query}
      onQueryChange={setQuery}
      classNames={{
        search: styles["findInput"] ?? "",
        actionDescription: text["dimmed"] ?? "",
        empty: text["dimmed"] ?? "",
      }}
    >
      <Spotlight.Search placeholder="A page, or any id" aria-label="A page, or any id" maxLength={questionLengthMax} />
      <Spotlight.ActionsList>
        {found?.matches.map(({ type, id, href }) => action(href, id, type.replaceAll("-", " ")))}
        {matching.map(({ href, name }) => action(href, name))}
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
    const response = await fetchInTime(`/api/ops/find?${new URLSearchParams({ q: query })}`, { signal }, pollLimitMs);
    const json = (await response.json()) as Found & { error?: { message?: string } };
    return response.ok ? json : nothing(json.error?.message ?? `The server answered ${response.status}`);
  } catch {
    return nothing("The server cannot be reached");
  }
}
