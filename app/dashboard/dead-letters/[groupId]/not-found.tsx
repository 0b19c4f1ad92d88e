import { NotFound } from "#dashboard/view/not-found.tsx";

/** Shown for a group that is not stored. */
export default function GroupNotFound() {
  return (
    <NotFound title="No such group" back={{ href: "/dashboard/dead-letters", name: "Dead letters" }}>
      No group of dead letters has this id. Groups are kept for as long as the database.
    </NotFound>
  );
}
