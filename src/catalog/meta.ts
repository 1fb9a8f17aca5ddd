/** Single values that belong to the catalog as a whole: a key names each. */
import type { Kysely } from 'kysely';
import type { Database } from './schema.ts';

export async function selectMeta(db: Kysely<Database>, key: string): Promise<string | undefined> {
  const row = await db.selectFrom('meta').select('value').where('key', '=', key).executeTakeFirst();
  return row?.value;
}

/** Stores `value` unless the key has one; returns the one that the key has now, whoever stored it. */
export async function insertMetaIfAbsent(db: Kysely<Database>, key: string, value: string): Promise<string> {
  await db
    .insertInto('meta')
    .values({ key, value })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const { value: stored } = await db
    .selectFrom('meta')
    .select('value')
    .where('key', '=', key)
    .executeTakeFirstOrThrow();
  return stored;
}

export async function putMeta(db: Kysely<Database>, key: string, value: string): Promise<void> {
  await db
    .insertInto('meta')
    .values({ key, value })
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ value }))
    .execute();
}

/** The bytes kept under `key`; the first call of all stores the ones that it brings. */
export async function ensureSecret(db: Kysely<Database>, key: string, fresh: Uint8Array): Promise<Buffer> {
  const stored = await insertMetaIfAbsent(db, key, Buffer.from(fresh).toString('base64'));
  return Buffer.from(stored, 'base64');
}
