/** The page to go to next. Only paths of the dashboard are allowed, so that a link cannot redirect to another site. */
export function dashboardPath(next: string | null): string {
  return next !== null && /^\/dashboard(?!\/sign-)(\/[\w%.~:-]+)*(\?[\w=&%.~:+,@*!()'/-]*)?$/.test(next)
    ? next
    : "/dashboard";
}
