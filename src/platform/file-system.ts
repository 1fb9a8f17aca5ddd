/**
 * The disk as the record log and the directory object store see it: the calls that matter for durability and no more.
 * `nodeFileSystem` and `sharedFileSystem` are the real one. test/support/simulated-file-system.ts keeps what was synced apart from what was
 * only written, and fails, tears and forgets on purpose.
 *
 * Errors are Node's own, with `code` (`ENOENT`, `ENOSPC`, `EIO`, …). Paths are absolute or relative to the process.
 */
import { close, fdatasync, fstat, ftruncate, open, read, writev } from 'node:fs';
import { mkdir, open as openHandle, readdir, rename, rmdir, stat, unlink } from 'node:fs/promises';
import { promisify } from 'node:util';

export interface File {
  /** Reads up to `length` bytes at `position` into `buffer` from `offset`; fewer only at the end of the file. */
  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<number>;
  /** Writes all of `buffers` one after another at `position`, or throws; a failed write may leave a part. */
  write(buffers: readonly Uint8Array[], position: number): Promise<void>;
  /** Returns once everything written is on stable storage (fdatasync). After a failure nothing is known. */
  sync(): Promise<void>;
  truncate(length: number): Promise<void>;
  /** Length in bytes. */
  size(): Promise<number>;
  close(): Promise<void>;
}

export interface FileSystem {
  /** `read`: an existing file. `write`: an existing file, also readable. `create`: a new one, EEXIST if it is there. */
  open(path: string, mode: 'read' | 'write' | 'create'): Promise<File>;
  /** Makes the folder and those above it; an existing one is fine. */
  makeDirectory(path: string): Promise<void>;
  /** Names (not paths) in a folder, in no order; sub-folders end in `/`. */
  list(path: string): Promise<string[]>;
  rename(from: string, to: string): Promise<void>;
  /** Removes a file or an empty folder; ENOENT if it is missing. */
  remove(path: string): Promise<void>;
  /** Makes creations, renames and removals in a folder durable. */
  syncDirectory(path: string): Promise<void>;
}

const openFile = promisify(open);
const closeFile = promisify(close);
const syncFile = promisify(fdatasync);
const truncateFile = promisify(ftruncate);
const statFile = promisify(fstat);

/** Over a plain descriptor, which is closed here and nowhere else. */
class NodeFile implements File {
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  async read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    let done = 0;
    while (done < length) {
      const count = await readOnce(this.#fd, buffer, offset + done, length - done, position + done);
      if (count === 0) break;
      done += count;
    }
    return done;
  }

  async write(buffers: readonly Uint8Array[], position: number): Promise<void> {
    let rest = buffers.filter((buffer) => buffer.byteLength > 0);
    let at = position;
    while (rest.length > 0) {
      const count = await writeOnce(this.#fd, rest, at);
      at += count;
      rest = dropWritten(rest, count);
    }
  }

  sync(): Promise<void> {
    return syncFile(this.#fd);
  }

  truncate(length: number): Promise<void> {
    return truncateFile(this.#fd, length);
  }

  async size(): Promise<number> {
    return (await statFile(this.#fd)).size;
  }

  close(): Promise<void> {
    return closeFile(this.#fd);
  }
}

function readOnce(fd: number, buffer: Uint8Array, offset: number, length: number, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(fd, buffer, offset, length, position, (error, count) => (error === null ? resolve(count) : reject(error)));
  });
}

function writeOnce(fd: number, buffers: Uint8Array[], position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    writev(fd, buffers, position, (error, count) => (error === null ? resolve(count) : reject(error)));
  });
}

/** What is left of `buffers` after their first `written` bytes. */
function dropWritten(buffers: readonly Uint8Array[], written: number): Uint8Array[] {
  const rest: Uint8Array[] = [];
  let skip = written;
  for (const buffer of buffers) {
    if (skip >= buffer.byteLength) skip -= buffer.byteLength;
    else {
      rest.push(skip === 0 ? buffer : buffer.subarray(skip));
      skip = 0;
    }
  }
  return rest;
}

const FLAGS = { read: 'r', write: 'r+', create: 'wx+' } as const;

/** What the server keeps for itself: nobody else may read it. */
export const nodeFileSystem: FileSystem = fileSystem({ file: 0o600, directory: 0o700 });

/** What is made for others, delivered files: the process's umask decides. */
export const sharedFileSystem: FileSystem = fileSystem({ file: 0o666, directory: 0o777 });

function fileSystem(modes: { readonly file: number; readonly directory: number }): FileSystem {
  return {
    async open(path, mode) {
      return new NodeFile(await openFile(path, FLAGS[mode], modes.file));
    },
    async makeDirectory(path) {
      await mkdir(path, { recursive: true, mode: modes.directory });
    },
    async list(path) {
      const entries = await readdir(path, { withFileTypes: true });
      return entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name));
    },
    rename: (from, to) => rename(from, to),
    async remove(path) {
      await ((await stat(path)).isDirectory() ? rmdir(path) : unlink(path));
    },
    async syncDirectory(path) {
      const handle = await openHandle(path, 'r');
      try {
        await handle.sync();
      } finally {
        await handle.close();
      }
    },
  };
}
