import { Button, Group, TextInput } from "@mantine/core";
import Link from "next/link";

import type { FoundPage } from "../../find/answer-find-page.ts";
import { questionLengthMax } from "../../find/find-question.ts";
import type { FindAnswer } from "../../find/find.ts";
import { PageHead } from "../page-head.tsx";
import { Panel, ScrollBox } from "../panel.tsx";
import tables from "../table.module.css";
import text from "../text.module.css";

/** Takes an id, or a line of a log with one, and shows what has it. */
export function FindPage({ q, answer }: FoundPage) {
  return (
    <>
      <PageHead
        title="Find"
        hint="An id of a delivery, event, message, comment, person, account, queue message, dead letter, trace, replay or backfill"
      />
      <search>
        <form method="get" action="/dashboard/find">
          <Group gap={8} align="end">
            <TextInput
              key={q}
              label="Id, or a line of the log that contains it"
              type="search"
              name="q"
              required
              maxLength={questionLengthMax}
              defaultValue={q}
              flex="1 1 240px"
              miw={0}
            />
            <Button type="submit" variant="default">
              Find
            </Button>
          </Group>
        </form>
      </search>
      {answer !== null && (
        <Panel id="matches" title="Matches">
          {answer.matches.length === 0 ? <Nothing q={q} reason={answer.reason} /> : <Matches {...answer} />}
        </Panel>
      )}
    </>
  );
}

function Nothing({ q, reason }: { q: string; reason: string | null }) {
  return (
    <p className={text["nothing"]}>
      {reason ?? "Nothing has this id."}{" "}
      {q.length <= 300 && (
        <Link href={`/dashboard/events?${new URLSearchParams({ q })}`} prefetch={false}>
          Search the text of events for it
        </Link>
      )}
    </p>
  );
}

function Matches({ matches }: Pick<FindAnswer, "matches">) {
  return (
    <ScrollBox label="Matches">
      <table className={tables["table"]}>
        <caption>What has this id, and its page</caption>
        <thead>
          <tr>
            <th scope="col">Id</th>
            <th scope="col">What it is</th>
          </tr>
        </thead>
        <tbody>
          {matches.map(({ type, id, href }) => (
            <tr key={`${type} ${id}`}>
              <th scope="row" className={`${text["mono"]} ${text["breakable"]}`}>
                <Link href={href} prefetch={false}>
                  {id}
                </Link>
              </th>
              <td>{type.replaceAll("-", " ")}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
}
