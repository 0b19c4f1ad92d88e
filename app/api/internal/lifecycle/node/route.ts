import { methods } from "#platform/methods.ts";

import { answer } from "../lifecycle.ts";

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({ POST: answer });
