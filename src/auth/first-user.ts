/**
 * The user, project and access key that a server has from its first start. What the configuration names is used, then
 * and at every later start: a changed value replaces the stored one, and a replaced password or user name revokes the
 * user's tokens. What it does not name is made up once and kept in `credentials.json`. The user is an administrator. Its
 * other access keys, and its first one where the configuration does not name it, are managed like everybody's.
 *
 * At the first start the file is written before the catalog: a crash in between leaves values that the next start takes
 * up. Later it is written after: what the catalog refuses leaves the file as it is, and a crash in between is made good
 * from the catalog.
 */
import type { Kysely } from 'kysely';
import {
  deleteAccessKey,
  deleteTemporaryKeysOf,
  insertAccessKey,
  selectAccessKeysOfUser,
  updateAccessKey,
  type AccessKey,
} from '../catalog/access-keys.ts';
import { putMeta, selectMeta } from '../catalog/meta.ts';
import { insertProject, renameProject, selectProject } from '../catalog/projects.ts';
import type { Database } from '../catalog/schema.ts';
import { deleteTokensOfUser } from '../catalog/tokens.ts';
import { isUniqueViolation } from '../catalog/unique-violation.ts';
import { insertUser, renameUser, selectUser, updatePasswordHash, type User } from '../catalog/users.ts';
import type { Clock } from '../platform/clock.ts';
import type { FileSystem } from '../platform/file-system.ts';
import type { Random } from '../platform/random.ts';
import { readCredentials, writeCredentials, type Credentials } from './credentials-file.ts';
import { newAccessKey, newId, newPassword, newSecretKey } from './new-secrets.ts';
import type { Passwords } from './passwords.ts';

/** The part of the config that names the first user; absent values are made up. */
export interface FirstUserSettings {
  readonly project_id?: string | undefined;
  readonly project_name: string;
  readonly access_key?: string | undefined;
  readonly secret_key?: string | undefined;
  readonly domain?: string | undefined;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
}

export interface FirstUserOptions {
  readonly db: Kysely<Database>;
  readonly settings: FirstUserSettings;
  /** Folder of `credentials.json`. */
  readonly dataDir: string;
  readonly passwords: Passwords;
  readonly random: Random;
  readonly clock: Clock;
  readonly fileSystem: FileSystem;
  /**
   * Whether other nodes have the same catalog: the file is then kept by the node that made the credentials up, and by no
   * other. One of them at a time may be here.
   */
  readonly shared: boolean;
}

export interface FirstUser {
  readonly projectId: string;
  readonly projectName: string;
  readonly domain: string;
  readonly userName: string;
  /** Undefined when it has been removed. */
  readonly accessKey: string | undefined;
  /** The credentials that this start made up, to be shown this once; undefined at every later start. */
  readonly generated: Credentials | undefined;
}

/** The settings contradict what other users or projects of the catalog have already. */
export class FirstUserError extends Error {
  override readonly name = 'FirstUserError';
}

const DOMAIN = 'sluice';
const USER = 'admin';

/** Keys of `meta`: which rows are the first user's, project's and key's, whatever they are called by now. */
const USER_ID = 'first_user';
const PROJECT_ID = 'first_project';
const ACCESS_KEY = 'first_access_key';

interface Wanted {
  readonly projectId: string;
  readonly projectName: string;
  readonly domain: string;
  readonly userName: string;
  /** Undefined when only its hash is known: it stays as it is. */
  readonly password: string | undefined;
  /** Undefined when it has been removed, and is not configured. */
  readonly key: { readonly accessKey: string; readonly secretKey: string } | undefined;
}

/** What is in the catalog from an earlier start. */
interface Stored {
  readonly user: User | undefined;
  readonly key: AccessKey | undefined;
}

/** Id of the first user; undefined before the first start. */
export function selectFirstUserId(db: Kysely<Database>): Promise<string | undefined> {
  return selectMeta(db, USER_ID);
}

/** Id of the first project; undefined before the first start. */
export function selectFirstProjectId(db: Kysely<Database>): Promise<string | undefined> {
  return selectMeta(db, PROJECT_ID);
}

/** Idempotent. Throws FirstUserError, or what the disk or the catalog throws. */
export async function ensureFirstUser(options: FirstUserOptions): Promise<FirstUser> {
  const { db, settings, dataDir, fileSystem, shared } = options;
  const kept = await readCredentials(fileSystem, dataDir);
  const stored = await selectStored(db);
  const wanted = await decide(options, kept, stored);

  const file = notConfigured(settings, wanted, await keptPassword(options, kept, stored));
  const othersFile = shared && stored.user !== undefined && Object.keys(kept).length === 0;
  const write = async () => {
    if (!othersFile && JSON.stringify(file) !== JSON.stringify(kept)) await writeCredentials(fileSystem, dataDir, file);
  };
  if (stored.user === undefined) await write();
  await store(options, wanted, stored);
  if (stored.user !== undefined) await write();

  const { projectId, projectName, domain, userName, key } = wanted;
  // Who has not been shown the credentials yet is told by the catalog: it is written last.
  const generated = stored.user === undefined && hasSecrets(file) ? file : undefined;
  return { projectId, projectName, domain, userName, accessKey: key?.accessKey, generated };
}

async function selectStored(db: Kysely<Database>): Promise<Stored> {
  const userId = await selectFirstUserId(db);
  const user = userId === undefined ? undefined : await selectUser(db, userId);
  if (user === undefined) return { user, key: undefined };
  const keys = await selectAccessKeysOfUser(db, user.id);
  const marked = await selectMeta(db, ACCESS_KEY);
  // Catalogs from before there could be several keys have no mark.
  return { user, key: marked === undefined ? keys[0] : keys.find(({ accessKey }) => accessKey === marked) };
}

/** Undefined when the file has none, or one that another node has replaced, or overtaken at the first start. */
async function keptPassword(
  { passwords, settings, shared }: FirstUserOptions,
  { password }: Credentials,
  { user }: Stored,
): Promise<string | undefined> {
  if (!shared || password === undefined || user === undefined || settings.password !== undefined) return password;
  return (await passwords.verify(password, user.passwordHash)) ? password : undefined;
}

/** Each value: the configured one, else the one kept from an earlier start, else a new one. */
async function decide(
  { db, settings, random }: FirstUserOptions,
  kept: Credentials,
  { user, key }: Stored,
): Promise<Wanted> {
  const password = settings.password ?? (user === undefined ? kept.password : undefined);
  return {
    projectId: settings.project_id ?? (await selectMeta(db, PROJECT_ID)) ?? kept.project_id ?? newId(random),
    projectName: settings.project_name,
    domain: settings.domain ?? DOMAIN,
    userName: settings.user ?? USER,
    password: password ?? (user === undefined ? newPassword(random) : undefined),
    key: decideKey(settings, random, kept, { user, key }),
  };
}

/** A key that was removed on purpose comes back only when the configuration names it. */
function decideKey(
  settings: FirstUserSettings,
  random: Random,
  kept: Credentials,
  { user, key }: Stored,
): Wanted['key'] {
  const { access_key, secret_key } = settings;
  const removed = user !== undefined && key === undefined;
  if (removed && access_key === undefined && secret_key === undefined) return undefined;
  const { accessKey, secretKey } = key ?? { accessKey: kept.access_key, secretKey: kept.secret_key };
  return {
    accessKey: access_key ?? accessKey ?? newAccessKey(random),
    secretKey: secret_key ?? secretKey ?? newSecretKey(random),
  };
}

/** What goes into the file: a configured secret is the operator's to keep, and a replaced one is gone. */
function notConfigured(settings: FirstUserSettings, wanted: Wanted, keptPassword: string | undefined): Credentials {
  const password = settings.password === undefined ? (wanted.password ?? keptPassword) : undefined;
  return {
    project_id: wanted.projectId,
    project_name: wanted.projectName,
    domain: wanted.domain,
    user: wanted.userName,
    ...(password === undefined ? {} : { password }),
    ...(wanted.key === undefined ? {} : { access_key: wanted.key.accessKey }),
    ...(wanted.key === undefined || settings.secret_key !== undefined ? {} : { secret_key: wanted.key.secretKey }),
  };
}

function hasSecrets({ password, secret_key }: Credentials): boolean {
  return password !== undefined || secret_key !== undefined;
}

/** One transaction; the password is hashed before it, so that it holds up nothing. */
async function store(options: FirstUserOptions, wanted: Wanted, { user, key }: Stored): Promise<void> {
  const { db, clock, random, passwords } = options;
  const passwordHash = await newHash(passwords, wanted.password, user);
  const now = clock.now();
  try {
    await db.transaction().execute(async (trx) => {
      const id = user?.id ?? newId(random);
      await storeProject(trx, wanted, now);
      if (user === undefined) {
        if (passwordHash === undefined) throw new Error('a new user needs a password');
        await insertUser(trx, { id, domain: wanted.domain, name: wanted.userName, passwordHash, role: 'admin' }, now);
        await putMeta(trx, USER_ID, id);
      } else {
        const renamed = user.domain !== wanted.domain || user.name !== wanted.userName;
        if (renamed) await renameUser(trx, id, wanted.domain, wanted.userName);
        if (passwordHash !== undefined) await updatePasswordHash(trx, id, passwordHash);
        if (renamed || passwordHash !== undefined) {
          await deleteTokensOfUser(trx, id);
          await deleteTemporaryKeysOf(trx, { userId: id });
        }
      }
      await storeAccessKey(trx, wanted, { userId: id, previous: key?.accessKey, now });
    });
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    const taken = `project "${wanted.projectName}", user "${wanted.userName}" or access key ${wanted.key?.accessKey}`;
    throw new FirstUserError(`${taken} of domain "${wanted.domain}" is taken by another project or user`, {
      cause: error,
    });
  }
}

/** The hash to store, or undefined when the stored one is right. */
async function newHash(
  passwords: Passwords,
  password: string | undefined,
  user: User | undefined,
): Promise<string | undefined> {
  if (password === undefined) return undefined;
  if (user !== undefined && (await passwords.verify(password, user.passwordHash))) return undefined;
  return passwords.hash(password);
}

async function storeProject(db: Kysely<Database>, wanted: Wanted, now: number): Promise<void> {
  const { projectId: id, domain, projectName: name } = wanted;
  const project = await selectProject(db, id);
  if (project === undefined) await insertProject(db, { id, domain, name }, now);
  else if (project.domain !== domain || project.name !== name) await renameProject(db, id, domain, name);
  await putMeta(db, PROJECT_ID, id);
}

/** The key of an earlier start stops working when there is another one now. */
async function storeAccessKey(
  db: Kysely<Database>,
  { key, projectId }: Wanted,
  { userId, previous, now }: { readonly userId: string; readonly previous: string | undefined; readonly now: number },
): Promise<void> {
  if (key === undefined) return;
  if (previous !== undefined && previous !== key.accessKey) await deleteAccessKey(db, previous);
  const keys = await selectAccessKeysOfUser(db, userId);
  const stored = keys.find(({ accessKey }) => accessKey === key.accessKey);
  if (stored === undefined) await insertAccessKey(db, { ...key, userId, projectId }, now);
  else if (stored.secretKey !== key.secretKey || stored.projectId !== projectId) {
    await updateAccessKey(db, { ...key, projectId });
  }
  await putMeta(db, ACCESS_KEY, key.accessKey);
}
