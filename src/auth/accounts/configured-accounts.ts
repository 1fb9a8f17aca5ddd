/**
 * Brings the catalog to what the `accounts` of the configuration say, at every start: what is missing is made, a changed
 * value replaces the stored one, and a changed password revokes the user's tokens and temporary keys. What the
 * configuration does not name, or no longer, is left as it is: an edit of a file deletes nobody's access by accident.
 */
import type { Kysely } from 'kysely';
import { insertAccessKey, selectAccessKeysOfUser, updateAccessKey } from '../../catalog/access-keys.ts';
import { insertProject, renameProject, selectProject, selectProjectByName } from '../../catalog/projects.ts';
import type { Database } from '../../catalog/schema.ts';
import { isUniqueViolation } from '../../catalog/unique-violation.ts';
import { insertUser, selectUserByName, updateRole } from '../../catalog/users.ts';
import { selectFirstProjectId, selectFirstUserId } from '../first-user.ts';
import { newId } from '../new-secrets.ts';
import { findProject, type AccountContext } from './account-context.ts';
import { AccountError } from './account-error.ts';
import type { AccountSettings, KeySettings, ProjectSettings, UserSettings } from './account-settings.ts';
import { replacePassword } from './manage-users.ts';

/** Hashes of the passwords that are not the stored ones. */
type NewHashes = ReadonlyMap<UserSettings, string>;

/** Whole or not at all. Throws AccountError for what contradicts itself or the catalog. */
export async function ensureAccounts(context: AccountContext, accounts: readonly AccountSettings[]): Promise<void> {
  if (accounts.length === 0) return;
  refuseRepetitions(accounts);
  // Before the transaction: a hash takes a tenth of a second, and the transaction holds up everybody.
  const hashes = await hashNewPasswords(context, accounts);
  await context.db.transaction().execute(async (trx) => {
    for (const { domain, projects, users } of accounts) {
      // A millisecond apart: the one that is named first is the oldest, where requests go that name none.
      for (const [index, project] of projects.entries()) {
        await storeProject({ ...context, db: trx }, domain, project, context.clock.now() + index);
      }
      // Throws when the domain is not there.
      await findProject(trx, domain);
      for (const user of users) await storeUser({ ...context, db: trx }, domain, user, hashes);
    }
  });
}

/** Of two entries for one thing each start would undo what the other has said. */
function refuseRepetitions(accounts: readonly AccountSettings[]): void {
  const seen = new Set<string>();
  const once = (what: string) => {
    if (seen.has(what)) throw new AccountError(`accounts: ${what} is there twice`);
    seen.add(what);
  };
  for (const { domain, projects, users } of accounts) {
    for (const { id, name } of projects) {
      once(`project "${name}" of domain "${domain}"`);
      if (id !== undefined) once(`project id ${id}`);
    }
    for (const { name, access_keys } of users) {
      once(`user "${name}" of domain "${domain}"`);
      for (const { access_key } of access_keys) once(`access key ${access_key}`);
    }
  }
}

async function hashNewPasswords(
  { db, passwords }: AccountContext,
  accounts: readonly AccountSettings[],
): Promise<NewHashes> {
  const hashes = new Map<UserSettings, string>();
  for (const { domain, users } of accounts) {
    for (const user of users) {
      if (user.password === undefined) continue;
      const stored = await selectUserByName(db, domain, user.name);
      const same = stored !== undefined && (await passwords.verify(user.password, stored.passwordHash));
      if (!same) hashes.set(user, await passwords.hash(user.password));
    }
  }
  return hashes;
}

async function storeProject(
  { db, random }: AccountContext,
  domain: string,
  { id, name }: ProjectSettings,
  createdAt: number,
): Promise<void> {
  const named = await selectProjectByName(db, domain, name);
  if (named !== undefined && (id === undefined || id === named.id)) return;
  if (named !== undefined) {
    throw new AccountError(`accounts: project "${name}" of domain "${domain}" has the id ${named.id}, not ${id}`);
  }
  const identified = id === undefined ? undefined : await selectProject(db, id);
  if (identified === undefined) {
    await insertProject(db, { id: id ?? newId(random), domain, name }, createdAt);
    return;
  }
  if (identified.domain !== domain) {
    throw new AccountError(`accounts: project ${identified.id} belongs to domain "${identified.domain}"`);
  }
  if (identified.id === (await selectFirstProjectId(db))) {
    throw new AccountError(`accounts: project ${identified.id} is the first one: project_name names it`);
  }
  await renameProject(db, identified.id, domain, name);
}

async function storeUser(
  context: AccountContext,
  domain: string,
  settings: UserSettings,
  hashes: NewHashes,
): Promise<void> {
  const { db, clock, random } = context;
  const { name, role, access_keys } = settings;
  const hash = hashes.get(settings);
  const stored = await selectUserByName(db, domain, name);
  if (stored !== undefined && stored.id === (await selectFirstUserId(db))) {
    throw new AccountError(
      `accounts: "${name}" of domain "${domain}" is the first user: user and password are its keys`,
    );
  }
  const id = stored?.id ?? newId(random);
  if (stored === undefined) {
    // No password makes the empty hash.
    await insertUser(db, { id, domain, name, passwordHash: hash ?? '', role }, clock.now());
  } else {
    if (hash !== undefined) await replacePassword(db, id, hash);
    if (stored.role !== role) await updateRole(db, id, role);
  }
  for (const key of access_keys) await storeKey(context, domain, id, key);
}

async function storeKey(
  { db, clock }: AccountContext,
  domain: string,
  userId: string,
  { access_key: accessKey, secret_key: secretKey, project }: KeySettings,
): Promise<void> {
  const { id: projectId } = await findProject(db, domain, project);
  const stored = await findKey(db, userId, accessKey);
  if (stored !== undefined) {
    if (stored.secretKey === secretKey && stored.projectId === projectId) return;
    return updateAccessKey(db, { accessKey, secretKey, projectId });
  }
  try {
    await insertAccessKey(db, { accessKey, secretKey, userId, projectId }, clock.now());
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw new AccountError(`accounts: access key ${accessKey} is another user’s`, { cause: error });
  }
}

async function findKey(db: Kysely<Database>, userId: string, accessKey: string) {
  const keys = await selectAccessKeysOfUser(db, userId);
  return keys.find((key) => key.accessKey === accessKey);
}
