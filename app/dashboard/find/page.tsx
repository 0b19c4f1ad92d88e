import { answerFindPage, leadToOnlyMatch } from "#dashboard/find/answer-find-page.ts";
import type { SearchParams } from "#dashboard/lists/search-params.ts";
import { FindPage } from "#dashboard/view/find/find-page.tsx";
import { Shown } from "#dashboard/view/shown.tsx";

import { openFind } from "../../find.ts";
import { readSignedIn } from "../signed-in.ts";

export const dynamic = "force-dynamic";
export const metadata = { title: "Find" };

/** Whatever has an id; straight to it if there is one match. */
export default async function Page({ searchParams }: { searchParams: Promise<SearchParams> }) {
  const params = await searchParams;
  const found = await readSignedIn("/dashboard/find", (db) => answerFindPage(db, params, openFind));
  leadToOnlyMatch(found);
  return (
    <Shown title="Find" found={found}>
      {(page) => <FindPage {...page} />}
    </Shown>
  );
}
