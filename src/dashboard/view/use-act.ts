"use client";

import { useRouter } from "next/navigation";
import { useState, useTransition } from "react";
import { fetchInTime } from "./fetch-in-time.ts";

/** A request that changes something. */
export interface Act {
  /** A route of ours, `/api/ops/…`. */
  path: string;
  method?: "POST" | "DELETE";
  /** The JSON of the request; `{}` by default. */
  body?: Record<string, unknown>;
}

/** What `useAct` returns. */
export interface Acting<T> {
  /** Sends the request, then reads the page again. Resolves with the answer, or null if it failed or another is under way. */
  act: (request: Act) => Promise<T | null>;
  /** True from the click until the page shows what changed. */
  pending: boolean;
  /** Why the last request failed: the server's own sentence where it gave one. */
  error: string | null;
  result: T | null;
}

/** Lets a button change something through `/api/ops`, whose routes check role and origin. One request at a time. */
export function useAct<T = unknown>(): Acting<T> {
  const router = useRouter();
  const [pending, start] = useTransition();
  const [answer, setAnswer] = useState<Answer<T>>({ error: null, result: null });

  const act = async (request: Act): Promise<T | null> => {
    if (pending) return null;
    setAnswer({ error: null, result: null });
    return new Promise((resolve) => {
      start(async () => {
        const answered = await send<T>(request);
        // React needs a new transition after an await. It lasts until the page is shown again.
        start(() => {
          setAnswer(answered);
          if (answered.error === null) router.refresh();
        });
        resolve(answered.result);
      });
    });
  };
  return { act, pending, ...answer };
}

interface Answer<T> {
  error: string | null;
  result: T | null;
}

async function send<T>({ path, method = "POST", body = {} }: Act): Promise<Answer<T>> {
  try {
    const headers = { "content-type": "application/json" };
    const response = await fetchInTime(path, { method, headers, body: JSON.stringify(body) });
    // A proxy in front of the server may answer with something other than JSON.
    const json = (await response.json().catch(() => null)) as (T & { error?: { message?: string } }) | null;
    if (response.ok && json !== null) return { error: null, result: json };
    return { error: json?.error?.message ?? `The server answered ${response.status}`, result: null };
  } catch {
    return { error: "The server cannot be reached", result: null };
  }
}
