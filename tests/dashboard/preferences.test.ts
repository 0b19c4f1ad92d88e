import { expect, test } from "vitest";

import { answerPreferences } from "#dashboard/change-preferences.ts";
import { formatInstant, formatMoment, formatTime } from "#dashboard/format.ts";
import { defaultPreferences, parsePreferences } from "#dashboard/preferences.ts";
import { keyAction } from "#dashboard/view/shell/key-actions.ts";

import { createTestAccess } from "../support/ops-access.ts";

const cookies = (values: Record<string, string>) => ({
  get: (name: string) => (values[name] === undefined ? undefined : { value: values[name] }),
});

test("preferences are read from cookies, and a malformed one counts as none", () => {
  expect(parsePreferences(cookies({}))).toEqual(defaultPreferences);
  expect(
    parsePreferences(
      cookies({ relay_zone: "europe/berlin", relay_text: "shown", relay_live: "off", relay_keys: "off" }),
    ),
  ).toEqual({ zone: "Europe/Berlin", showsText: true, liveSeconds: null, hasKeys: false });
  expect(
    parsePreferences(cookies({ relay_zone: "Atlantis/\u202e", relay_text: "yes", relay_live: "1", relay_keys: "" })),
  ).toEqual(defaultPreferences);
});

test("a form sets a cookie and goes back to its page, for our own pages alone", async () => {
  const access = createTestAccess(() => {
    throw new Error("Preferences need no store");
  });
  const send = (headers: Record<string, string>, body = "zone=Asia/Tokyo&text=nonsense&next=/x") =>
    answerPreferences(new Request("http://localhost/dashboard/preferences", { method: "POST", headers, body }), access);
  const ours = { "sec-fetch-site": "same-origin", referer: "http://localhost/dashboard/events?state=dead&q=a%20b" };
  const answer = await send(ours);
  expect([answer.status, answer.headers.get("location")]).toEqual([303, "/dashboard/events?state=dead&q=a%20b"]);
  expect(answer.headers.getSetCookie()).toEqual([
    "relay_zone=Asia%2FTokyo; Max-Age=31536000; Path=/dashboard; HttpOnly; SameSite=Lax",
  ]);
  const elsewhere = await send({ ...ours, referer: "http://localhost//evil.example/dashboard" });
  expect(elsewhere.headers.get("location")).toBe("/dashboard");
  expect((await send({ "sec-fetch-site": "cross-site" })).status).toBe(401);
});

test("times follow the zone, also across a change of the clock and of the day", () => {
  const summer = "2026-07-01T22:30:07.123Z";
  const nowMs = Date.parse("2026-07-01T23:00:00.000Z");
  expect(formatInstant(summer)).toBe("2026-07-01 22:30:07.123 UTC");
  expect(formatInstant(summer, "Europe/Berlin")).toBe("2026-07-02 00:30:07.123 UTC+2");
  expect(formatInstant("2026-01-01T00:30:00.000Z", "America/St_Johns")).toBe("2025-12-31 21:00:00.000 UTC-3:30");
  expect([formatTime(summer, nowMs, "Europe/Berlin"), formatMoment(summer, nowMs, "Asia/Tokyo")]).toEqual([
    "00:30:07",
    "07:30 UTC+9",
  ]);
  expect(formatMoment("2026-06-30T10:00:00.000Z", nowMs)).toBe("30 Jun, 10:00 UTC");
});

test("single keys act outside of fields and without modifiers, and only if the reader has not switched them off", () => {
  const pressed = (key: string, modifiers: Partial<KeyboardEvent> = {}) => ({
    key,
    ctrlKey: false,
    metaKey: false,
    altKey: false,
    ...modifiers,
  });
  const free = { hasKeys: true, isLed: false, isTaken: false };
  expect(keyAction(pressed("/"), free)).toEqual({ do: "find" });
  expect(keyAction(pressed("g"), free)).toEqual({ do: "lead" });
  expect(keyAction(pressed("x"), free)).toBeNull();
  expect(keyAction(pressed("x"), { ...free, isLed: true })).toEqual({ do: "open", href: "/dashboard/dead-letters" });
  for (const key of ["/", "?", "j", "k", "g"]) {
    expect(keyAction(pressed(key), { ...free, isTaken: true })).toBeNull();
    expect(keyAction(pressed(key), { ...free, hasKeys: false })).toBeNull();
    for (const modifier of ["ctrlKey", "metaKey", "altKey"]) {
      const action = keyAction(pressed(key, { [modifier]: true }), free);
      expect(action).toEqual(key === "k" && modifier !== "altKey" ? { do: "palette" } : null);
    }
  }
  expect(keyAction(pressed("Escape"), { ...free, hasKeys: false, isTaken: true })).toEqual({ do: "close" });
});
