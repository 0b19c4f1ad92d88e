import { receiveWithSdk } from "../../../receive-with-sdk.ts";

export const runtime = "edge";
export const POST = receiveWithSdk;
