import type { Clock } from "#platform/clock.ts";

/** Gives the place back; further calls do nothing. */
export type LeavePlace = () => void;

/** A limited number of places for work that is under way at the same time. */
export interface Places {
  /**
   * Takes a place, in the order of the calls. Resolves with null if none became free within `waitMs`, and at once if too
   * many wait already.
   */
  enter(waitMs: number): Promise<LeavePlace | null>;
}

/** `placesMax`: how many there are. `waitersMax`: how many calls may wait. */
export function createPlaces(placesMax: number, clock: Pick<Clock, "after">, waitersMax = placesMax): Places {
  let taken = 0;
  const waiting = new Set<(leave: LeavePlace) => void>();

  const take = (): LeavePlace => {
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      const [next] = waiting;
      if (next === undefined) taken -= 1;
      else next(take());
    };
  };

  return {
    async enter(waitMs) {
      if (taken < placesMax) {
        taken += 1;
        return take();
      }
      if (waitMs <= 0 || waiting.size >= waitersMax) return null;
      return new Promise((resolve) => {
        const giveUp = clock.after(waitMs, () => {
          waiting.delete(begin);
          resolve(null);
        });
        const begin = (leave: LeavePlace) => {
          waiting.delete(begin);
          giveUp();
          resolve(leave);
        };
        waiting.add(begin);
      });
    },
  };
}
