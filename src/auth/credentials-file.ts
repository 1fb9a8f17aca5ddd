/**
 * `credentials.json`: the first user's credentials as far as this server made them up itself. What the operator
 * configures is not copied into it. The file is readable by its owner only and is replaced whole or not at all.
 */
import { join } from 'node:path';
import type { FileSystem } from '../platform/file-system.ts';

export const CREDENTIALS_FILE = 'credentials.json';

/** Named like the keys of the config. */
export interface Credentials {
  readonly project_id?: string;
  readonly project_name?: string;
  readonly domain?: string;
  readonly user?: string;
  readonly password?: string;
  readonly access_key?: string;
  readonly secret_key?: string;
}

const KEYS = ['project_id', 'project_name', 'domain', 'user', 'password', 'access_key', 'secret_key'] as const;

/** Empty when there is no file. Throws for a file that is not a JSON object of texts: it is the operator's to mend. */
export async function readCredentials(fileSystem: FileSystem, folder: string): Promise<Credentials> {
  const path = join(folder, CREDENTIALS_FILE);
  const bytes = await readIfThere(fileSystem, path);
  if (bytes === undefined) return {};
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw new Error(`${path}: is not JSON; mend it, or remove it to have new credentials made`, { cause: error });
  }
  if (!isCredentials(value)) throw new Error(`${path}: must be an object of texts`);
  return Object.fromEntries(KEYS.flatMap((key) => (value[key] === undefined ? [] : [[key, value[key]]])));
}

/** Resolves once the file is on stable storage under its name, with mode 0600. */
export async function writeCredentials(fileSystem: FileSystem, folder: string, values: Credentials): Promise<void> {
  const path = join(folder, CREDENTIALS_FILE);
  const temporary = `${path}.new`;
  try {
    // Left behind by a crash between here and the rename.
    await fileSystem.remove(temporary);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  const file = await fileSystem.open(temporary, 'create');
  try {
    await file.write([Buffer.from(`${JSON.stringify(values, KEYS.slice(), 2)}\n`)], 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await fileSystem.rename(temporary, path);
  await fileSystem.syncDirectory(folder);
}

/** Takes the password out of the file, once it is no longer good; nothing happens when there is none. */
export async function forgetPassword(fileSystem: FileSystem, folder: string): Promise<void> {
  const { password, ...rest } = await readCredentials(fileSystem, folder);
  if (password !== undefined) await writeCredentials(fileSystem, folder, rest);
}

async function readIfThere(fileSystem: FileSystem, path: string): Promise<Buffer | undefined> {
  let file;
  try {
    file = await fileSystem.open(path, 'read');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  try {
    const bytes = Buffer.alloc(await file.size());
    return bytes.subarray(0, await file.read(bytes, 0, bytes.length, 0));
  } finally {
    await file.close();
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

function isCredentials(value: unknown): value is Credentials {
  if (typeof value !== 'object' || value === null) return false;
  const texts = value as Record<string, unknown>;
  return KEYS.every((key) => texts[key] === undefined || typeof texts[key] === 'string');
}
