import { receiveWithSdk } from "../../../receive-with-sdk.ts";

export const POST = receiveWithSdk;
