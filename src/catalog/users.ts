/** The statements about users. A user belongs to one domain (account) and acts in its projects. */
import type { Kysely } from 'kysely';
import type { Role } from '../model/principal.ts';
import type { Database } from './schema.ts';

export interface User {
  readonly id: string;
  readonly domain: string;
  /** Unique within the domain. */
  readonly name: string;
  /** As auth/passwords.ts writes it. */
  readonly passwordHash: string;
  readonly role: Role;
}

const COLUMNS = ['id', 'domain', 'name', 'password_hash as passwordHash', 'role'] as const;

export function selectUser(db: Kysely<Database>, id: string): Promise<User | undefined> {
  return db.selectFrom('users').select(COLUMNS).$narrowType<{ role: Role }>().where('id', '=', id).executeTakeFirst();
}

export function selectUserByName(db: Kysely<Database>, domain: string, name: string): Promise<User | undefined> {
  return db
    .selectFrom('users')
    .select(COLUMNS)
    .$narrowType<{ role: Role }>()
    .where('domain', '=', domain)
    .where('name', '=', name)
    .executeTakeFirst();
}

/** In the order of domain and name; of all domains unless one is given. */
export function selectUsers(db: Kysely<Database>, domain?: string): Promise<User[]> {
  return db
    .selectFrom('users')
    .select(COLUMNS)
    .$narrowType<{ role: Role }>()
    .$if(domain !== undefined, (query) => query.where('domain', '=', domain ?? ''))
    .orderBy('domain')
    .orderBy('name')
    .execute();
}

/** A taken id or name is a unique violation. */
export async function insertUser(db: Kysely<Database>, user: User, createdAt: number): Promise<void> {
  const { id, domain, name, passwordHash, role } = user;
  await db
    .insertInto('users')
    .values({ id, domain, name, password_hash: passwordHash, role, created_at: createdAt })
    .execute();
}

/** A taken name is a unique violation. */
export async function renameUser(db: Kysely<Database>, id: string, domain: string, name: string): Promise<void> {
  await db.updateTable('users').set({ domain, name }).where('id', '=', id).execute();
}

export async function updatePasswordHash(db: Kysely<Database>, id: string, passwordHash: string): Promise<void> {
  await db.updateTable('users').set({ password_hash: passwordHash }).where('id', '=', id).execute();
}

export async function updateRole(db: Kysely<Database>, id: string, role: Role): Promise<void> {
  await db.updateTable('users').set({ role }).where('id', '=', id).execute();
}

/** The user alone: its keys and tokens are the caller's to delete before. */
export async function deleteUser(db: Kysely<Database>, id: string): Promise<void> {
  await db.deleteFrom('users').where('id', '=', id).execute();
}
