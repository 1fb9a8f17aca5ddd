/** The statements about access keys: each acts as one user in one project. */
import type { Kysely } from 'kysely';
import type { Role } from '../model/principal.ts';
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

/** A key with the user behind it as of now: all that it takes to verify a signature. */
export interface Signer extends AccessKey {
  readonly userName: string;
  /** The user's. */
  readonly domain: string;
  readonly role: Role;
  /** Of temporary keys, as TemporaryTerms has them; null for the others. */
  readonly securityTokenHash: string | null;
  readonly expiresAt: number | null;
}

/** Those of the keys that there are, in no order: expired ones too, none whose user is gone. */
export function selectSigners(db: Kysely<Database>, accessKeys: readonly string[]): Promise<Signer[]> {
  return db
    .selectFrom('access_keys')
    .innerJoin('users', 'users.id', 'access_keys.user_id')
    .select([
      'access_keys.access_key as accessKey',
      'access_keys.secret_key as secretKey',
      'access_keys.user_id as userId',
      'access_keys.project_id as projectId',
      'access_keys.security_token_hash as securityTokenHash',
      'access_keys.expires_at as expiresAt',
      'users.name as userName',
      'users.domain as domain',
      'users.role as role',
    ])
    .$narrowType<{ role: Role }>()
    .where('access_keys.access_key', 'in', accessKeys)
    .execute();
}

/** The oldest first, without temporary ones. */
export function selectAccessKeysOfUser(db: Kysely<Database>, userId: string): Promise<AccessKey[]> {
  return db
    .selectFrom('access_keys')
    .select(COLUMNS)
    .where('user_id', '=', userId)
    .where('expires_at', 'is', null)
    .orderBy('created_at')
    .orderBy('access_key')
    .execute();
}

/** A key as an operator may see it: without its secret. */
export interface ListedAccessKey {
  readonly accessKey: string;
  readonly domain: string;
  readonly userName: string;
  readonly projectName: string;
  readonly createdAt: number;
  /** Null for a key that is not temporary. */
  readonly expiresAt: number | null;
}

export interface ListedKeysFilter {
  readonly domain?: string | undefined;
  readonly userName?: string | undefined;
}

/** Temporary ones too; by domain, user and age. */
export function selectListedKeys(
  db: Kysely<Database>,
  { domain, userName }: ListedKeysFilter,
): Promise<ListedAccessKey[]> {
  return db
    .selectFrom('access_keys')
    .innerJoin('users', 'users.id', 'access_keys.user_id')
    .innerJoin('projects', 'projects.id', 'access_keys.project_id')
    .select([
      'access_keys.access_key as accessKey',
      'users.domain as domain',
      'users.name as userName',
      'projects.name as projectName',
      'access_keys.created_at as createdAt',
      'access_keys.expires_at as expiresAt',
    ])
    .$if(domain !== undefined, (query) => query.where('users.domain', '=', domain ?? ''))
    .$if(userName !== undefined, (query) => query.where('users.name', '=', userName ?? ''))
    .orderBy('users.domain')
    .orderBy('users.name')
    .orderBy('access_keys.created_at')
    .orderBy('access_keys.access_key')
    .execute();
}

/** The permanent keys whose requests go to the project when they name none. */
export async function selectKeysOfProject(db: Kysely<Database>, projectId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('access_keys')
    .select('access_key')
    .where('project_id', '=', projectId)
    .where('expires_at', 'is', null)
    .orderBy('access_key')
    .execute();
  return rows.map((row) => row.access_key);
}

/** What makes a key temporary. */
export interface TemporaryTerms {
  /** Hex SHA-256 of the security token that must come with the key. */
  readonly securityTokenHash: string;
  /** First moment at which the key is no longer good. */
  readonly expiresAt: number;
}

/** A taken access key is a unique violation. */
export async function insertAccessKey(
  db: Kysely<Database>,
  key: AccessKey,
  createdAt: number,
  terms?: TemporaryTerms,
): Promise<void> {
  const { accessKey, secretKey, userId, projectId } = key;
  await db
    .insertInto('access_keys')
    .values({
      access_key: accessKey,
      secret_key: secretKey,
      user_id: userId,
      project_id: projectId,
      created_at: createdAt,
      security_token_hash: terms?.securityTokenHash ?? null,
      expires_at: terms?.expiresAt ?? null,
    })
    .execute();
}

export async function deleteAccessKeysOfUser(db: Kysely<Database>, userId: string): Promise<void> {
  await db.deleteFrom('access_keys').where('user_id', '=', userId).execute();
}

/** Gives a key another secret and project. */
export async function updateAccessKey(
  db: Kysely<Database>,
  { accessKey, secretKey, projectId }: Omit<AccessKey, 'userId'>,
): Promise<void> {
  await db
    .updateTable('access_keys')
    .set({ secret_key: secretKey, project_id: projectId })
    .where('access_key', '=', accessKey)
    .execute();
}

/** Tells whether there was such a key. */
export async function deleteAccessKey(db: Kysely<Database>, accessKey: string): Promise<boolean> {
  const { numDeletedRows } = await db.deleteFrom('access_keys').where('access_key', '=', accessKey).executeTakeFirst();
  return numDeletedRows > 0n;
}

/** Temporary keys of a user, or of a project. */
export async function deleteTemporaryKeysOf(
  db: Kysely<Database>,
  owner: { readonly userId: string } | { readonly projectId: string },
): Promise<void> {
  const [column, id] =
    'userId' in owner ? (['user_id', owner.userId] as const) : (['project_id', owner.projectId] as const);
  await db.deleteFrom('access_keys').where(column, '=', id).where('expires_at', 'is not', null).execute();
}

/** Removes the temporary keys that are no longer good at `now`; returns how many. */
export async function deleteExpiredAccessKeys(db: Kysely<Database>, now: number): Promise<number> {
  const { numDeletedRows } = await db.deleteFrom('access_keys').where('expires_at', '<=', now).executeTakeFirst();
  return Number(numDeletedRows);
}
