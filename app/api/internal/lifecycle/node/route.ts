import { allowOnly } from "../../../../allow-only.ts";

export { POST } from "../lifecycle.ts";

const refuse = allowOnly("POST");
export { refuse as GET, refuse as HEAD, refuse as OPTIONS, refuse as PUT, refuse as PATCH, refuse as DELETE };
