import type { SessionItem } from "../../access/read-sessions.ts";
import { ActButton } from "../act-button.tsx";
import { ScrollBox } from "../panel.tsx";
import tables from "../table.module.css";
import text from "../text.module.css";
import { Instant } from "../timestamp.tsx";

/** Props of `Sessions`. */
export interface SessionsProps {
  sessions: readonly SessionItem[];
}

/** The sessions that are valid now, of each token together, with a button that ends them. */
export function Sessions({ sessions }: SessionsProps) {
  if (sessions.length === 0) return <p className={text["nothing"]}>No session is valid.</p>;
  const names = [...new Set(sessions.map(({ name }) => name))];
  return (
    <ScrollBox label="Sessions">
      <table className={tables["table"]}>
        <caption>Valid sessions of each token, the newest first</caption>
        <thead>
          <tr>
            <th scope="col">Who</th>
            <th scope="col">Began</th>
            <th scope="col">Ends by itself</th>
            <th scope="col">Network</th>
            <th scope="col">All of this token</th>
          </tr>
        </thead>
        {names.map((name) => (
          <SessionsOf key={name} name={name} sessions={sessions.filter((one) => one.name === name)} />
        ))}
      </table>
    </ScrollBox>
  );
}

function SessionsOf({ name, sessions }: { name: string; sessions: readonly SessionItem[] }) {
  return (
    <tbody>
      {sessions.map(({ id, address, createdAt, expiresAt, current }, index) => (
        <tr key={id}>
          <th scope="row">
            {name}
            {current && <span className={tables["meaning"]}>this browser</span>}
          </th>
          <td data-numeric="start">
            <Instant iso={createdAt} minute />
          </td>
          <td data-numeric="start">
            <Instant iso={expiresAt} minute />
          </td>
          <td className={text["mono"]}>{address}</td>
          <td>{index === 0 && <EndSessions name={name} />}</td>
        </tr>
      ))}
    </tbody>
  );
}

function EndSessions({ name }: { name: string }) {
  return (
    <ActButton
      label={`End sessions of ${name}`}
      request={{ path: "/api/ops/sessions/end", body: { name } }}
      confirm={{
        title: `End all sessions of ${name}?`,
        sentence: `Every browser that is signed in as ${name} is signed out at once. The token itself stays valid.`,
      }}
      done="Ended."
    />
  );
}
