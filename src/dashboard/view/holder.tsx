"use client";

import { createContext, type ReactNode, useContext } from "react";

import text from "./text.module.css";

/** Name and role of the token that the reader signed in with. */
export interface Holder {
  name: string;
  role: string;
}

const context = createContext<Holder | null>(null);

/** Gives the reader's name and role to every component below. */
export function ProvideHolder({ holder, children }: { holder: Holder | null; children: ReactNode }) {
  return <context.Provider value={holder}>{children}</context.Provider>;
}

/** Why the reader may change nothing, as a sentence; null if they may. Only what is shown depends on it: each route decides. */
export function useRefusal(): string | null {
  const holder = useContext(context);
  if (holder === null || holder.role === "admin") return null;
  return `Only the role admin may do this; ${holder.name} has the role ${holder.role}.`;
}

/** Says once, beside buttons that are off, why the reader may change nothing. */
export function Refusal() {
  const refusal = useRefusal();
  return refusal === null ? null : <p className={text["note"]}>{refusal}</p>;
}
