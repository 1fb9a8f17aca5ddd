/**
 * The folder of everything the server keeps, held by one process at a time. The lock is SQLite's own exclusive lock on
 * a file in it: the kernel lets go of it when the process ends, however it ends, so a kill leaves nothing to clean up.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
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
    await mkdir(root, { recursive: true, mode: 0o700 });
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
