import { NotFound } from "#dashboard/view/not-found.tsx";

/** Shown for a replay that is not stored. */
export default function ReplayNotFound() {
  return (
    <NotFound title="No such replay" back={{ href: "/dashboard/replays", name: "Replays" }}>
      No replay has this id. Replays are kept for as long as the database.
    </NotFound>
  );
}
