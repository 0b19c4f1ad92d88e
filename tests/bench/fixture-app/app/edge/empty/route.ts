export const runtime = "edge";

export const POST = () => new Response();
