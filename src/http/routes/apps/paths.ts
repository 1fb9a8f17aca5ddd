/** Where apps are: old clients make and list them under v3. */

export interface AppParams {
  readonly projectId: string;
  readonly appName: string;
}

/** The path of the collection in both versions; the second one is not described. */
export const APPS_PATHS = [
  { path: '/v2/:projectId/apps', hide: false },
  { path: '/v3/:projectId/apps', hide: true },
] as const;
