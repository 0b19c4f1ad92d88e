import { receiveLeast } from "../../../receive-least.ts";

export const runtime = "edge";
export const POST = receiveLeast;
