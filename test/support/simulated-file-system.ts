/**
 * A disk in memory that keeps what was synced apart from what was only written. `crash` takes away what a power loss
 * may take: any part of the unsynced bytes, in sectors, and any tail of the unsynced folder changes. `fault` makes
 * single calls fail, `capacity` makes the disk full. Everything random comes from the generator it is given.
 */
import { basename, dirname } from 'node:path';
import type { File, FileSystem } from '../../src/platform/file-system.ts';

const SECTOR = 512;

interface Inode {
  synced: Buffer;
  current: Buffer;
  /** Unsynced changes in order: bytes at a place, or a new length. */
  pending: ({ position: number; bytes: Buffer } | { length: number })[];
}

type Operation = 'open' | 'read' | 'write' | 'sync' | 'truncate' | 'rename' | 'remove' | 'syncDirectory' | 'list';

function errno(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}

export class SimulatedFileSystem {
  /** Bytes that fit on the disk. */
  capacity = Infinity;
  /** Called before each operation; a returned code makes it fail. A failing write leaves a random part of its bytes. */
  fault: (operation: Operation, path: string) => string | undefined = () => undefined;
  readonly #random: () => number;
  #current = new Map<string, Inode>();
  #synced = new Map<string, Inode>();
  /** Folder states after each unsynced change, oldest first. */
  #history: Map<string, Inode>[] = [];
  #epoch = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** Power loss: every open file is dead from now on. */
  crash(): void {
    this.#epoch += 1;
    const states = [this.#synced, ...this.#history];
    const survivor = states[Math.floor(this.#random() * states.length)]!;
    for (const inode of new Set(survivor.values())) {
      let bytes: Buffer = Buffer.from(inode.synced);
      for (const change of inode.pending) bytes = this.#maybeApply(bytes, change);
      Object.assign(inode, { synced: bytes, current: Buffer.from(bytes), pending: [] });
    }
    this.#current = new Map(survivor);
    this.#synced = new Map(survivor);
    this.#history = [];
  }

  /** The disk as one run of a process sees it: dead after the next crash. */
  mount(): FileSystem {
    const epoch = this.#epoch;
    const alive = (path: string) => {
      if (epoch !== this.#epoch) throw errno('EIO', path);
    };
    return {
      open: async (path, mode) => (alive(path), this.#open(path, mode)),
      makeDirectory: async (path) => alive(path),
      list: async (path) => (alive(path), this.#list(path)),
      rename: async (from, to) => (alive(from), this.#rename(from, to)),
      remove: async (path) => (alive(path), this.#remove(path)),
      syncDirectory: async (path) => (alive(path), this.#syncDirectory(path)),
    };
  }

  /** The bytes of a file, to be looked at or damaged. */
  contents(path: string): Buffer {
    return this.#inode(path).current;
  }

  setContents(path: string, bytes: Buffer): void {
    Object.assign(this.#inode(path), { synced: Buffer.from(bytes), current: Buffer.from(bytes), pending: [] });
  }

  paths(): string[] {
    return [...this.#current.keys()].sort();
  }

  get bytesUsed(): number {
    return [...this.#current.values()].reduce((sum, { current }) => sum + current.length, 0);
  }

  #open(path: string, mode: 'read' | 'write' | 'create'): File {
    this.#check('open', path);
    let inode = this.#current.get(path);
    if (mode === 'create') {
      if (inode !== undefined) throw errno('EEXIST', path);
      inode = { synced: Buffer.alloc(0), current: Buffer.alloc(0), pending: [] };
      this.#change((files) => files.set(path, inode!));
    }
    if (inode === undefined) throw errno('ENOENT', path);
    return this.#file(path, inode);
  }

  #list(path: string): string[] {
    this.#check('list', path);
    return [...this.#current.keys()].filter((file) => dirname(file) === path).map((file) => basename(file));
  }

  #rename(from: string, to: string): void {
    this.#check('rename', from);
    const inode = this.#inode(from);
    this.#change((files) => {
      files.delete(from);
      files.set(to, inode);
    });
  }

  #remove(path: string): void {
    this.#check('remove', path);
    this.#inode(path);
    this.#change((files) => files.delete(path));
  }

  #syncDirectory(path: string): void {
    this.#check('syncDirectory', path);
    this.#synced = new Map(this.#current);
    this.#history = [];
  }

  #file(path: string, inode: Inode): File {
    const epoch = this.#epoch;
    const alive = (operation: Operation) => {
      if (epoch !== this.#epoch) throw errno('EBADF', path);
      this.#check(operation, path);
    };
    return {
      read: async (buffer, offset, length, position) => {
        alive('read');
        if (position >= inode.current.length) return 0;
        return inode.current.copy(buffer, offset, position, Math.min(position + length, inode.current.length));
      },
      write: async (buffers, position) => {
        const bytes = Buffer.concat(buffers);
        const grows = Math.max(0, position + bytes.length - inode.current.length);
        const full = this.bytesUsed + grows > this.capacity;
        let failure: Error | undefined = full ? errno('ENOSPC', path) : undefined;
        try {
          alive('write');
        } catch (error) {
          failure = error as Error;
        }
        if (failure !== undefined && epoch !== this.#epoch) throw failure;
        const written = failure === undefined ? bytes : bytes.subarray(0, Math.floor(this.#random() * bytes.length));
        if (written.length > 0 && !full) this.#pend(inode, { position, bytes: Buffer.from(written) });
        if (failure !== undefined) throw failure;
      },
      sync: async () => {
        alive('sync');
        inode.synced = Buffer.from(inode.current);
        inode.pending = [];
      },
      truncate: async (length) => {
        alive('truncate');
        this.#pend(inode, { length });
      },
      size: async () => inode.current.length,
      close: async () => {},
    };
  }

  #pend(inode: Inode, change: Inode['pending'][number]): void {
    inode.pending.push(change);
    inode.current = apply(inode.current, change);
  }

  #maybeApply(bytes: Buffer, change: Inode['pending'][number]): Buffer {
    const luck = this.#random();
    if (luck < 0.3) return bytes;
    if ('length' in change || luck < 0.6) return apply(bytes, change);
    let result = bytes;
    for (let at = 0; at < change.bytes.length; at += SECTOR) {
      if (this.#random() < 0.5) continue;
      result = apply(result, { position: change.position + at, bytes: change.bytes.subarray(at, at + SECTOR) });
    }
    return result;
  }

  #change(edit: (files: Map<string, Inode>) => void): void {
    edit(this.#current);
    this.#history.push(new Map(this.#current));
  }

  #check(operation: Operation, path: string): void {
    const code = this.fault(operation, path);
    if (code !== undefined) throw errno(code, path);
  }

  #inode(path: string): Inode {
    const inode = this.#current.get(path);
    if (inode === undefined) throw errno('ENOENT', path);
    return inode;
  }
}

function apply(bytes: Buffer, change: Inode['pending'][number]): Buffer {
  if ('length' in change) {
    const cut = Buffer.alloc(change.length);
    bytes.copy(cut);
    return cut;
  }
  const end = change.position + change.bytes.length;
  const grown = end > bytes.length ? Buffer.concat([bytes, Buffer.alloc(end - bytes.length)]) : Buffer.from(bytes);
  change.bytes.copy(grown, change.position);
  return grown;
}
