/** Tells whether a statement was refused because a row with the same unique columns is there already. */

/** SQLite's extended result codes SQLITE_CONSTRAINT_PRIMARYKEY and SQLITE_CONSTRAINT_UNIQUE. */
const SQLITE_CODES: readonly unknown[] = [1555, 2067];

/** PostgreSQL's unique_violation. */
const POSTGRES_CODE = '23505';

export function isUniqueViolation(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return (
    ('errcode' in error && SQLITE_CODES.includes(error.errcode)) || ('code' in error && error.code === POSTGRES_CODE)
  );
}
