"use client";

import { useEffect, useState } from "react";

/** `in 7 s`, then `now`. It counts in the browser and sends no request. */
export function Countdown({ ms }: { ms: number }) {
  const [leftMs, setLeftMs] = useState(ms);

  useEffect(() => {
    const endMs = performance.now() + ms;
    const timer = setInterval(() => setLeftMs(endMs - performance.now()), 250);
    return () => clearInterval(timer);
  }, [ms]);

  const seconds = Math.ceil(leftMs / 1_000);
  return <span role="timer">{seconds > 0 ? `in ${seconds} s` : "now"}</span>;
}
