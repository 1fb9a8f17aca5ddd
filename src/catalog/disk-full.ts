/** Whether the catalog refused to write because its disk has no room. */

const SQLITE_FULL = 13;
/** PostgreSQL's disk_full. */
const POSTGRES_FULL = '53100';

export function isDiskFull(error: unknown): boolean {
  const { errcode, code } = (error ?? {}) as { readonly errcode?: unknown; readonly code?: unknown };
  if (code === POSTGRES_FULL) return true;
  // The low byte is the primary result code.
  return typeof errcode === 'number' && (errcode & 0xff) === SQLITE_FULL;
}
