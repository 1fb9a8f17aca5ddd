/** The statements about access keys: each acts as one user in one project. */
import type { Kysely } from 'kysely';
import type { Database } from './schema.ts';

export interface AccessKey {
  readonly accessKey: string;
  readonly secretKey: string;
  readonly userId: string;
  readonly projectId: string;
}

const COLUMNS = [
  'access_key as accessKey',
  'secret_key as secretKey',
  'user_id as userId',
  'project_id as projectId',
] as const;

export function selectAccessKey(db: Kysely<Database>, accessKey: string): Promise<AccessKey | undefined> {
  return db.selectFrom('access_keys').select(COLUMNS).where('access_key', '=', accessKey).executeTakeFirst();
}

/** The oldest first. */
export function selectAccessKeysOfUser(db: Kysely<Database>, userId: string): Promise<AccessKey[]> {
  return db
    .selectFrom('access_keys')
    .select(COLUMNS)
    .where('user_id', '=', userId)
    .orderBy('created_at')
    .orderBy('access_key')
    .execute();
}

/** A taken access key is a unique violation. */
export async function insertAccessKey(db: Kysely<Database>, key: AccessKey, createdAt: number): Promise<void> {
  const { accessKey, secretKey, userId, projectId } = key;
  await db
    .insertInto('access_keys')
    .values({
      access_key: accessKey,
      secret_key: secretKey,
      user_id: userId,
      project_id: projectId,
      created_at: createdAt,
    })
    .execute();
}

export async function deleteAccessKeysOfUser(db: Kysely<Database>, userId: string): Promise<void> {
  await db.deleteFrom('access_keys').where('user_id', '=', userId).execute();
}
