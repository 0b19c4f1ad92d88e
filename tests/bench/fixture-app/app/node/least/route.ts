import { receiveLeast } from "../../../receive-least.ts";

export const POST = receiveLeast;
