/** The statements about tokens. Only their hashes are known here. Times are milliseconds since 1970. */
import type { Kysely } from 'kysely';
import type { Role } from '../model/principal.ts';
import type { Database } from './schema.ts';

export interface NewToken {
  /** Hex SHA-256 of the token. */
  readonly hash: string;
  readonly userId: string;
  readonly projectId: string;
  readonly issuedAt: number;
  /** First moment at which it is no longer good. */
  readonly expiresAt: number;
}

/** A token with the names of its user and project as they are now. */
export interface StoredToken extends Omit<NewToken, 'hash'> {
  readonly userName: string;
  /** The user's. */
  readonly domain: string;
  readonly role: Role;
  readonly projectName: string;
}

export async function insertToken(db: Kysely<Database>, token: NewToken): Promise<void> {
  const { hash, userId, projectId, issuedAt, expiresAt } = token;
  await db
    .insertInto('tokens')
    .values({ hash, user_id: userId, project_id: projectId, issued_at: issuedAt, expires_at: expiresAt })
    .execute();
}

/** Expired ones too, until they are deleted; none whose user or project is gone. */
export function selectToken(db: Kysely<Database>, hash: string): Promise<StoredToken | undefined> {
  return db
    .selectFrom('tokens')
    .innerJoin('users', 'users.id', 'tokens.user_id')
    .innerJoin('projects', 'projects.id', 'tokens.project_id')
    .select([
      'tokens.user_id as userId',
      'users.name as userName',
      'users.domain as domain',
      'users.role as role',
      'tokens.project_id as projectId',
      'projects.name as projectName',
      'tokens.issued_at as issuedAt',
      'tokens.expires_at as expiresAt',
    ])
    .$narrowType<{ role: Role }>()
    .where('tokens.hash', '=', hash)
    .executeTakeFirst();
}

/** Tells whether there was such a token. */
export async function deleteToken(db: Kysely<Database>, hash: string): Promise<boolean> {
  const { numDeletedRows } = await db.deleteFrom('tokens').where('hash', '=', hash).executeTakeFirst();
  return numDeletedRows > 0n;
}

/** Removes the tokens that are no longer good at `now`; returns how many. */
export async function deleteExpiredTokens(db: Kysely<Database>, now: number): Promise<number> {
  const { numDeletedRows } = await db.deleteFrom('tokens').where('expires_at', '<=', now).executeTakeFirst();
  return Number(numDeletedRows);
}

export async function deleteTokensOfUser(db: Kysely<Database>, userId: string): Promise<void> {
  await db.deleteFrom('tokens').where('user_id', '=', userId).execute();
}

export async function deleteTokensOfProject(db: Kysely<Database>, projectId: string): Promise<void> {
  await db.deleteFrom('tokens').where('project_id', '=', projectId).execute();
}
