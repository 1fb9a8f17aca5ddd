/** Whether the catalog refused to write because its disk has no room. */

const SQLITE_FULL = 13;

export function isDiskFull(error: unknown): boolean {
  const { errcode } = (error ?? {}) as { readonly errcode?: unknown };
  // The low byte is the primary result code.
  return typeof errcode === 'number' && (errcode & 0xff) === SQLITE_FULL;
}
