/**
 * The address with its TLS mode spelled out. `prefer`, `require` and `verify-ca` check the certificate as `verify-full`
 * does; pg says on each start that its next version will not, which Neon's addresses (`sslmode=require`) set off. What is
 * meant is what is done today. https://node-postgres.com/features/ssl
 */
export function explicitTls(databaseUrl: string): string {
  if (/[?&]uselibpqcompat=true(&|$)/.test(databaseUrl)) return databaseUrl;
  return databaseUrl.replace(/([?&]sslmode=)(?:prefer|require|verify-ca)(?=&|$)/g, "$1verify-full");
}
