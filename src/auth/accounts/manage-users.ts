/**
 * Users, as an operator manages them. A server that runs beside sees every change within five seconds: that is how long it
 * believes a token or a key without asking the catalog.
 */
import type { Kysely } from 'kysely';
import { deleteAccessKeysOfUser, deleteTemporaryKeysOf } from '../../catalog/access-keys.ts';
import type { Database } from '../../catalog/schema.ts';
import { deleteTokensOfUser } from '../../catalog/tokens.ts';
import {
  deleteUser,
  insertUser,
  selectUserByName,
  selectUsers,
  updatePasswordHash,
  updateRole,
} from '../../catalog/users.ts';
import type { Role } from '../../model/principal.ts';
import { selectFirstUserId } from '../first-user.ts';
import { newId, newPassword } from '../new-secrets.ts';
import { domainOrFirst, findProject, findUser, type AccountContext } from './account-context.ts';
import { AccountError } from './account-error.ts';
import { checkName, USER_NAME } from './account-names.ts';

/** A user as an operator names it. */
export interface UserName {
  /** Absent: the first user's. */
  readonly domain?: string | undefined;
  readonly name: string;
}

export interface ListedUser {
  readonly domain: string;
  readonly name: string;
  readonly role: Role;
  readonly id: string;
  /** The one that the keys `user` and `password` of the configuration are about. */
  readonly first: boolean;
}

export interface NewPassword {
  readonly domain: string;
  /** Set when it was made up here: it is known to nobody else. */
  readonly generated: string | undefined;
  /** Whether it is the first user's, which a generated `credentials.json` may hold. */
  readonly first: boolean;
}

/** Of all domains unless one is given. */
export async function listUsers(db: Kysely<Database>, domain?: string): Promise<ListedUser[]> {
  const first = await selectFirstUserId(db);
  const users = await selectUsers(db, domain);
  return users.map((user) => ({
    domain: user.domain,
    name: user.name,
    role: user.role,
    id: user.id,
    first: user.id === first,
  }));
}

/** `password` absent: one is made up. Throws AccountError for a bad or taken name and a domain without projects. */
export async function addUser(
  context: AccountContext,
  { domain: given, name, role, password }: UserName & { readonly role: Role; readonly password?: string | undefined },
): Promise<ListedUser & NewPassword> {
  checkName(USER_NAME, 'user', name);
  const { clock, random, passwords } = context;
  const generated = password === undefined ? newPassword(random) : undefined;
  const passwordHash = await passwords.hash(password ?? generated ?? '');
  return context.db.transaction().execute(async (db) => {
    const domain = await domainOrFirst(db, given);
    await findProject(db, domain);
    if ((await selectUserByName(db, domain, name)) !== undefined) {
      throw new AccountError(`there is a user "${name}" in domain "${domain}" already`);
    }
    const id = newId(random);
    await insertUser(db, { id, domain, name, passwordHash, role }, clock.now());
    return { domain, name, role, id, generated, first: false };
  });
}

/** Revokes the user's tokens and temporary keys. `password` absent: one is made up. Throws AccountError. */
export async function setPassword(
  context: AccountContext,
  { domain: given, name, password }: UserName & { readonly password?: string | undefined },
): Promise<NewPassword> {
  const generated = password === undefined ? newPassword(context.random) : undefined;
  const passwordHash = await context.passwords.hash(password ?? generated ?? '');
  return context.db.transaction().execute(async (db) => {
    const domain = await domainOrFirst(db, given);
    const { id } = await findUser(db, domain, name);
    await replacePassword(db, id, passwordHash);
    return { domain, generated, first: id === (await selectFirstUserId(db)) };
  });
}

/** Throws AccountError, also for the first user: it stays an administrator. */
export async function setRole(context: AccountContext, { domain, name, role }: UserName & { readonly role: Role }) {
  return context.db.transaction().execute(async (db) => {
    const user = await findOtherUser(db, { domain, name }, 'stays an administrator');
    await updateRole(db, user.id, role);
    return { domain: user.domain };
  });
}

/** With its keys and tokens. Throws AccountError, also for the first user: the configuration would bring it back. */
export async function removeUser(context: AccountContext, user: UserName) {
  return context.db.transaction().execute(async (db) => {
    const { id, domain } = await findOtherUser(db, user, 'cannot be removed');
    await deleteTokensOfUser(db, id);
    await deleteAccessKeysOfUser(db, id);
    await deleteUser(db, id);
    return { domain };
  });
}

/** What was handed out under the password before stops working with it. */
export async function replacePassword(db: Kysely<Database>, userId: string, passwordHash: string): Promise<void> {
  await updatePasswordHash(db, userId, passwordHash);
  await deleteTokensOfUser(db, userId);
  await deleteTemporaryKeysOf(db, { userId });
}

async function findOtherUser(db: Kysely<Database>, { domain, name }: UserName, why: string) {
  const user = await findUser(db, await domainOrFirst(db, domain), name);
  if (user.id === (await selectFirstUserId(db))) {
    throw new AccountError(`"${name}" of domain "${user.domain}" is the first user and ${why}`);
  }
  return user;
}
