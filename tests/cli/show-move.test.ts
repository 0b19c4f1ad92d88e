import { expect, test } from "vitest";

import { showMove } from "#cli/show-move.ts";

import { createManualClock } from "../support/manual-clock.ts";
