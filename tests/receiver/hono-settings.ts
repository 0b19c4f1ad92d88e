export const secrets = ["app-secret", "another secret"];
export const verifyToken = "the-verify-token";
export const path = "/webhooks/instagram";
