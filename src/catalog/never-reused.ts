/** A column of numbers that are never used again: SQLite gives a deleted row's to the next one unless told not to. */
import { sql } from 'kysely';

export const NEVER_REUSED = {
  sqlite: sql`integer primary key autoincrement`,
  postgres: sql`bigint generated always as identity primary key`,
} as const;
