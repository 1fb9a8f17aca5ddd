/**
 * The user, project and access key that a server has from its first start. What the configuration names is used, then
 * and at every later start: a changed value replaces the stored one, and a replaced password or user name revokes the
 * user's tokens. What it does not name is made up once and kept in `credentials.json`.
 *
 * The file is written before the catalog: a crash in between leaves values that the next start takes up.
 */
import type { Kysely } from 'kysely';
import { deleteAccessKeysOfUser, insertAccessKey, selectAccessKeysOfUser } from '../catalog/access-keys.ts';
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
import type { Passwords } from './passwords.ts';
import { LETTERS_AND_DIGITS, randomText, UPPER_CASE_AND_DIGITS } from './random-text.ts';

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
}

export interface FirstUser {
  readonly projectId: string;
  readonly projectName: string;
  readonly domain: string;
  readonly userName: string;
  readonly accessKey: string;
  /** The credentials that this start made up, to be shown this once; undefined at every later start. */
  readonly generated: Credentials | undefined;
}

/** The settings contradict what other users or projects of the catalog have already. */
export class FirstUserError extends Error {
  override readonly name = 'FirstUserError';
}

const DOMAIN = 'sluice';
const USER = 'admin';
const PASSWORD_LENGTH = 24;
const ACCESS_KEY_LENGTH = 20;
const SECRET_KEY_LENGTH = 40;

/** Keys of `meta`: which rows are the first user's and the first project's, whatever they are called by now. */
const USER_ID = 'first_user';
const PROJECT_ID = 'first_project';

interface Wanted {
  readonly projectId: string;
  readonly projectName: string;
  readonly domain: string;
  readonly userName: string;
  /** Undefined when only its hash is known: it stays as it is. */
  readonly password: string | undefined;
  readonly accessKey: string;
  readonly secretKey: string;
}

/** Idempotent. Throws FirstUserError, or what the disk or the catalog throws. */
export async function ensureFirstUser(options: FirstUserOptions): Promise<FirstUser> {
  const { db, settings, dataDir, fileSystem } = options;
  const kept = await readCredentials(fileSystem, dataDir);
  const userId = await selectMeta(db, USER_ID);
  const user = userId === undefined ? undefined : await selectUser(db, userId);
  const wanted = await decide(options, kept, user);

  const file = notConfigured(settings, wanted, kept.password);
  if (JSON.stringify(file) !== JSON.stringify(kept)) await writeCredentials(fileSystem, dataDir, file);
  await store(options, wanted, user);

  const { projectId, projectName, domain, userName, accessKey } = wanted;
  // Who has not been shown the credentials yet is told by the catalog: it is written last.
  const isFirstStart = user === undefined && hasSecrets(file);
  return { projectId, projectName, domain, userName, accessKey, generated: isFirstStart ? file : undefined };
}

/** Each value: the configured one, else the one kept from an earlier start, else a new one. */
async function decide(
  { db, settings, random }: FirstUserOptions,
  kept: Credentials,
  user: User | undefined,
): Promise<Wanted> {
  const [key] = user === undefined ? [] : await selectAccessKeysOfUser(db, user.id);
  const password = settings.password ?? (user === undefined ? kept.password : undefined);
  return {
    projectId:
      settings.project_id ?? (await selectMeta(db, PROJECT_ID)) ?? kept.project_id ?? random.bytes(16).toString('hex'),
    projectName: settings.project_name,
    domain: settings.domain ?? DOMAIN,
    userName: settings.user ?? USER,
    password: password ?? (user === undefined ? randomText(random, LETTERS_AND_DIGITS, PASSWORD_LENGTH) : undefined),
    accessKey:
      settings.access_key ??
      key?.accessKey ??
      kept.access_key ??
      randomText(random, UPPER_CASE_AND_DIGITS, ACCESS_KEY_LENGTH),
    secretKey:
      settings.secret_key ??
      key?.secretKey ??
      kept.secret_key ??
      randomText(random, LETTERS_AND_DIGITS, SECRET_KEY_LENGTH),
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
    access_key: wanted.accessKey,
    ...(settings.secret_key === undefined ? { secret_key: wanted.secretKey } : {}),
  };
}

function hasSecrets({ password, secret_key }: Credentials): boolean {
  return password !== undefined || secret_key !== undefined;
}

/** One transaction; the password is hashed before it, so that it holds up nothing. */
async function store(options: FirstUserOptions, wanted: Wanted, user: User | undefined): Promise<void> {
  const { db, clock, random, passwords } = options;
  const passwordHash = await newHash(passwords, wanted.password, user);
  const now = clock.now();
  try {
    await db.transaction().execute(async (trx) => {
      const id = user?.id ?? random.bytes(16).toString('hex');
      await storeProject(trx, wanted, now);
      if (user === undefined) {
        if (passwordHash === undefined) throw new Error('a new user needs a password');
        await insertUser(trx, { id, domain: wanted.domain, name: wanted.userName, passwordHash, role: 'admin' }, now);
        await putMeta(trx, USER_ID, id);
      } else {
        const renamed = user.domain !== wanted.domain || user.name !== wanted.userName;
        if (renamed) await renameUser(trx, id, wanted.domain, wanted.userName);
        if (passwordHash !== undefined) await updatePasswordHash(trx, id, passwordHash);
        if (renamed || passwordHash !== undefined) await deleteTokensOfUser(trx, id);
      }
      await storeAccessKey(trx, wanted, id, now);
    });
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    const taken = `project "${wanted.projectName}", user "${wanted.userName}" or access key ${wanted.accessKey}`;
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

/** The first user has one access key: the one before it stops working. */
async function storeAccessKey(db: Kysely<Database>, wanted: Wanted, userId: string, now: number): Promise<void> {
  const { accessKey, secretKey, projectId } = wanted;
  const keys = await selectAccessKeysOfUser(db, userId);
  const [key] = keys;
  const same = key?.accessKey === accessKey && key.secretKey === secretKey && key.projectId === projectId;
  if (same && keys.length === 1) return;
  await deleteAccessKeysOfUser(db, userId);
  await insertAccessKey(db, { accessKey, secretKey, userId, projectId }, now);
}
