/** The page to go to next. Only pages of the dashboard are allowed, so that a link cannot redirect to another site or sign in or out. */
export function dashboardPath(next: string | null): string {
  const allowed = /^\/dashboard(?!\/sign-)(\/[\w%.~:-]+)*(\?[\w=&%.~:+,@*!()'/-]*)?$/;
  // Browsers take segments of dots out of a path, and with them the dashboard: `/dashboard/../api`.
  const hasDots = /\/(\.|%2e){1,2}(\/|\?|$)/i;
  return next !== null && allowed.test(next) && !hasDots.test(next.replace(/\?.*$/s, "")) ? next : "/dashboard";
}
