/**
 * The folder of everything the server keeps, held by one process at a time. The lock is SQLite's own exclusive lock on
 * a file in it: the kernel lets go of it when the process ends, however it ends, so a kill leaves nothing to clean up.
 */
import { existsSync } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** The data directory cannot be used; the message says why in one line. */
export class DataDirectoryError extends Error {
  override readonly name = 'DataDirectoryError';
}

export interface DataDirectory {
  /** Path of something inside. */
  path(name: string): string;
  /** Lets another process have the directory. */
  release(): void;
}

/** Makes the folder (mode 0700) if need be and locks it. Throws DataDirectoryError, also when another process has it. */
export async function openDataDirectory(root: string): Promise<DataDirectory> {
  try {
    await makeFolders(root);
  } catch (error) {
    throw new DataDirectoryError(`cannot make the data directory ${root}: ${(error as Error).message}`, {
      cause: error,
    });
  }
  const lock = holdLock(root);
  return {
    path: (name) => join(root, name),
    release: () => lock.close(),
  };
}

/** As `mkdir -p`. Node's own never ends where a folder exists and nothing can be made in it, as in /proc. */
async function makeFolders(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return;
    if (code !== 'ENOENT' || existsSync(dirname(path))) throw error;
    await makeFolders(dirname(path));
    await makeFolders(path);
  }
}

const SQLITE_BUSY = 5;

function holdLock(root: string): DatabaseSync {
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(join(root, 'lock'));
    lock.exec('pragma locking_mode = exclusive; pragma journal_mode = memory; begin exclusive');
    return lock;
  } catch (error) {
    lock?.close();
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) {
      throw new DataDirectoryError(`the data directory ${root} is in use by another sluice process`, { cause: error });
    }
    throw new DataDirectoryError(`cannot use the data directory ${root}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
