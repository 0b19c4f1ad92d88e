import { expect, test } from "vitest";

import { fillBefore, openBefore } from "../store/before.ts";
import { relay } from "./relay-process.ts";

test(
  "migrate moves the rows of an earlier release and says how many; --drop-old refuses while that release may write",
  { timeout: 60_000 },
  async () => {
    const { url, client } = await openBefore();
    await fillBefore(client, 1_200);
    const moved = await relay(["migrate"], { DATABASE_URL: url });
    expect(moved).toMatchObject({ status: 0, stdout: "The database's schema is up to date.\n" });
    expect(moved.stderr).toMatch(/^Moved events: 1,200 rows in [\d.]+ s/);

    const refused = await relay(["migrate", "--drop-old"], { DATABASE_URL: url });
    expect(refused).toMatchObject({ status: 1, stdout: "" });
    expect(refused.stderr).toMatch(/^✖ The old tables could not be dropped \(the release before wrote/);
    await client.query(
      "update relay_move.parts set moved_at = now() - interval '2 hours'; delete from relay_move.old_writes",
    );
    const dropped = await relay(["migrate", "--drop-old", "--json"], { DATABASE_URL: url });
    expect(dropped).toMatchObject({ status: 0, stdout: '{"dropped":true}\n' });
  },
);
