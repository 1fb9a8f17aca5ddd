/** What a failure of PostgreSQL, or of the way to it, means. Codes: PostgreSQL's appendix "Error Codes". */

/** serialization_failure, deadlock_detected: nothing was done, and the next try may succeed. */
const CONFLICTS: readonly unknown[] = ['40001', '40P01'];

/**
 * admin_shutdown, crash_shutdown, cannot_connect_now; a transaction that was idle for too long; a standby that takes no writes
 * yet.
 */
const GONE: readonly unknown[] = ['57P01', '57P02', '57P03', '25P03', '25006'];
const SYSTEM: readonly unknown[] = [
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
];
/** The driver has no codes for these. */
const DRIVER =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Query read timeout)/;

export function isConflict(error: unknown): boolean {
  return CONFLICTS.includes(codeOf(error));
}

/** PostgreSQL could not be reached, or went away during the call. */
export function isDisconnect(error: unknown): boolean {
  const code = codeOf(error);
  if (GONE.includes(code) || SYSTEM.includes(code)) return true;
  if (typeof code === 'string' && /^08/.test(code)) return true;
  return error instanceof Error && (DRIVER.test(error.message) || isDisconnect(error.cause));
}

/** Too many connections, a statement that took too long or waited too long for a lock. */
export function isOverload(error: unknown): boolean {
  return ['53300', '57014', '55P03'].includes(codeOf(error) as string);
}

function codeOf(error: unknown): unknown {
  return (error as { readonly code?: unknown } | null | undefined)?.code;
}
