/** Tells whether a statement was refused because a row with the same unique columns is there already. */

/** SQLite's extended result codes SQLITE_CONSTRAINT_PRIMARYKEY and SQLITE_CONSTRAINT_UNIQUE. */
const SQLITE_CODES: readonly unknown[] = [1555, 2067];

export function isUniqueViolation(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && SQLITE_CODES.includes(error.errcode);
}
