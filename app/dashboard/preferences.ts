import { cookies } from "next/headers";

import { parsePreferences, type Preferences } from "#dashboard/preferences.ts";

/** What the reader of this page chose. */
export async function readPreferences(): Promise<Preferences> {
  return parsePreferences(await cookies());
}
