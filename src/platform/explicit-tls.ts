/**
 * The address with `sslmode=verify-full` for `prefer`, `require` and `verify-ca`. pg treats all four alike today and warns
 * at each start that its next version will not; Neon's addresses (`sslmode=require`) cause that warning. This keeps
 * today's meaning. https://node-postgres.com/features/ssl
 */
export function explicitTls(databaseUrl: string): string {
  if (/[?&]uselibpqcompat=true(&|$)/.test(databaseUrl)) return databaseUrl;
  return databaseUrl.replace(/([?&]sslmode=)(?:prefer|require|verify-ca)(?=&|$)/g, "$1verify-full");
}
