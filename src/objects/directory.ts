/**
 * Objects as files below one local folder: `<root>/<bucket>/<key>`, a bucket being a folder that is made on demand.
 *
 * An object appears by a rename once its bytes are on stable storage, and `put` resolves once its name is too. Until
 * then the bytes are in `.sluice-tmp` of the bucket, which is no part of it: what a killed process left there goes when
 * the store opens, so one store at a time may have a root open. The entity tag is the SHA-256 of the bytes in hex.
 *
 * What files cannot do: an object `a` and an object `a/b` exclude each other, and content types are not kept.
 */
import { createHash } from 'node:crypto';
import { dirname, join, resolve } from 'node:path';
import { DomainError } from '../model/errors.ts';
import type { File, FileSystem } from '../platform/file-system.ts';
import type { Random } from '../platform/random.ts';
import { errorCode, refusal, refusing } from './disk-errors.ts';
import { checkBucketName, checkKey } from './names.ts';
import type { ListedObject, ObjectStore, PutOptions, PutResult, StoredObject } from './object-store.ts';
import { writeBody } from './write-body.ts';

export interface DirectoryStoreOptions {
  readonly fileSystem: FileSystem;
  /** Made if it is missing. */
  readonly root: string;
  readonly random: Random;
  /** Names whoever writes there beside others; each has a folder of its own for what is half written. */
  readonly writer?: string | undefined;
}

const TEMPORARY_FOLDER = '.sluice-tmp';
const READ_BYTES = 1024 * 1024;
/** Folders remembered as durable; past it the memory starts anew, which costs some syncs and nothing else. */
const MAX_DURABLE_FOLDERS = 1024;
/** What the disk answers when there is no object of a name: nothing, a file where a folder should be, or a folder. */
const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'EISDIR']);

/** Makes the root and removes what an earlier process left half written. Throws ObjectStoreRefused. */
export async function openDirectoryStore(options: DirectoryStoreOptions): Promise<ObjectStore> {
  const store = new DirectoryStore(options);
  await store.open();
  return store;
}

class DirectoryStore implements ObjectStore {
  readonly #disk: FileSystem;
  readonly #root: string;
  readonly #random: Random;
  readonly #temporary: string;
  /** Folders whose own existence has been synced all the way from the root. */
  readonly #durableFolders = new Set<string>();
  /** Buckets whose left-overs are gone or going. */
  readonly #swept = new Map<string, Promise<void>>();

  constructor({ fileSystem, root, random, writer }: DirectoryStoreOptions) {
    this.#disk = fileSystem;
    this.#root = resolve(root);
    this.#random = random;
    this.#temporary = writer === undefined ? TEMPORARY_FOLDER : join(TEMPORARY_FOLDER, writer);
  }

  async open(): Promise<void> {
    const entries = await refusing([this.#root], async () => {
      await this.#disk.makeDirectory(this.#root);
      await this.#disk.syncDirectory(dirname(this.#root));
      return this.#disk.list(this.#root);
    });
    const buckets = entries.filter((name) => name.endsWith('/')).map((name) => name.slice(0, -1));
    // One broken bucket does not keep the server from starting: its next put sweeps again and reports the error.
    await Promise.allSettled(buckets.map((bucket) => this.#sweep(bucket)));
  }

  async checkBucket(bucket: string): Promise<void> {
    checkBucketName(bucket);
    await refusing([bucket], async () => {
      await this.#sweep(bucket);
      await this.#makeDurable(join(this.#root, bucket));
    });
  }

  async put(bucket: string, key: string, body: AsyncIterable<Uint8Array>, { signal }: PutOptions): Promise<PutResult> {
    const target = this.#path(bucket, key);
    const scratch = join(this.#root, bucket, this.#temporary);
    const temporary = join(scratch, this.#random.bytes(16).toString('hex'));
    const names = [bucket, key];
    const file = await refusing(names, async () => {
      await this.#sweep(bucket);
      await this.#disk.makeDirectory(scratch);
      return this.#disk.open(temporary, 'create');
    });
    try {
      const { bytes, sha256 } = await writeBody(file, body, names, signal).finally(() =>
        refusing(names, () => file.close()),
      );
      signal?.throwIfAborted();
      await refusing(names, () => this.#publish(temporary, target));
      return { bytes, etag: sha256, sha256 };
    } catch (error) {
      // Why the put failed is what counts; a file that cannot be removed now goes when the store opens again.
      await this.#disk.remove(temporary).catch(() => undefined);
      throw error;
    }
  }

  async head(bucket: string, key: string): Promise<StoredObject | undefined> {
    const path = this.#path(bucket, key);
    return refusing([bucket, key], async () => {
      let bytes = 0;
      const hash = createHash('sha256');
      try {
        for await (const piece of this.#pieces(path)) {
          bytes += piece.byteLength;
          hash.update(piece);
        }
      } catch (error) {
        if (ABSENT.has(errorCode(error))) return undefined;
        throw error;
      }
      return { bytes, etag: hash.digest('hex') };
    });
  }

  async *read(bucket: string, key: string): AsyncGenerator<Uint8Array, void, undefined> {
    const path = this.#path(bucket, key);
    try {
      yield* this.#pieces(path);
    } catch (error) {
      throw refusal(error, [bucket, key]);
    }
  }

  async *list(bucket: string, prefix: string): AsyncGenerator<ListedObject, void, undefined> {
    checkBucketName(bucket);
    try {
      yield* this.#walk(join(this.#root, bucket), '', prefix);
    } catch (error) {
      throw refusal(error, [bucket]);
    }
  }

  /** There are none: the folder of half-written files is swept when a bucket is first used. */
  async removeLeftovers(bucket: string): Promise<number> {
    checkBucketName(bucket);
    await refusing([bucket], () => this.#sweep(bucket));
    return 0;
  }

  async delete(bucket: string, key: string): Promise<void> {
    const path = this.#path(bucket, key);
    await refusing([bucket, key], async () => {
      try {
        // The folder may be that of other objects, so it stays, empty or not; an empty one is no object.
        await this.#disk.remove(path);
        await this.#disk.syncDirectory(dirname(path));
      } catch (error) {
        if (!ABSENT.has(errorCode(error)) && errorCode(error) !== 'ENOTEMPTY') throw error;
      }
    });
  }

  async close(): Promise<void> {}

  /** Gives a synced file its name, durably. */
  async #publish(temporary: string, target: string): Promise<void> {
    const folder = dirname(target);
    if (!this.#durableFolders.has(folder)) await this.#makeDurable(folder);
    try {
      await this.#disk.rename(temporary, target);
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error;
      // Somebody has removed the folder since it was made.
      await this.#makeDurable(folder);
      await this.#disk.rename(temporary, target);
    }
    await this.#disk.syncDirectory(folder);
  }

  /** Makes a folder below the root with those above it, and syncs the names of all of them. */
  async #makeDurable(folder: string): Promise<void> {
    await this.#disk.makeDirectory(folder);
    for (let child = folder; child !== this.#root; child = dirname(child)) {
      await this.#disk.syncDirectory(dirname(child));
    }
    if (this.#durableFolders.size >= MAX_DURABLE_FOLDERS) this.#durableFolders.clear();
    this.#durableFolders.add(folder);
  }

  /** Removes what is in the temporary folder of a bucket, once in the life of the store. */
  #sweep(bucket: string): Promise<void> {
    let sweeping = this.#swept.get(bucket);
    if (sweeping === undefined) {
      sweeping = this.#removeLeftovers(join(this.#root, bucket, this.#temporary)).catch((error: unknown) => {
        this.#swept.delete(bucket);
        throw error;
      });
      this.#swept.set(bucket, sweeping);
    }
    return sweeping;
  }

  async #removeLeftovers(folder: string): Promise<void> {
    for (const name of await this.#listFolder(folder)) {
      // Folders are those of other writers.
      if (!name.endsWith('/')) await this.#disk.remove(join(folder, name));
    }
  }

  async *#pieces(path: string): AsyncGenerator<Uint8Array, void, undefined> {
    const file = await this.#disk.open(path, 'read');
    try {
      for (let position = 0; ;) {
        const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
        const length = await file.read(buffer, 0, READ_BYTES, position);
        if (length > 0) yield buffer.subarray(0, length);
        if (length < READ_BYTES) return;
        position += length;
      }
    } finally {
      await file.close();
    }
  }

  /** The objects of one folder and those below, whose keys begin with `base`. */
  async *#walk(folder: string, base: string, prefix: string): AsyncGenerator<ListedObject, void, undefined> {
    for (const name of inOrderOfBytes(await this.#listFolder(folder))) {
      const key = base + name;
      if (name.endsWith('/')) {
        const wanted = key.startsWith(prefix) || prefix.startsWith(key);
        if (wanted && key !== `${TEMPORARY_FOLDER}/`) yield* this.#walk(join(folder, name), key, prefix);
      } else if (key.startsWith(prefix)) {
        const bytes = await this.#size(join(folder, name));
        if (bytes !== undefined) yield { key, bytes, etag: undefined };
      }
    }
  }

  /** Length of a file, or undefined when it has gone since it was listed. */
  async #size(path: string): Promise<number | undefined> {
    let file: File;
    try {
      file = await this.#disk.open(path, 'read');
    } catch (error) {
      if (ABSENT.has(errorCode(error))) return undefined;
      throw error;
    }
    try {
      return await file.size();
    } finally {
      await file.close();
    }
  }

  /** The names in a folder, none if there is no such folder. */
  async #listFolder(folder: string): Promise<string[]> {
    try {
      return await this.#disk.list(folder);
    } catch (error) {
      if (ABSENT.has(errorCode(error))) return [];
      throw error;
    }
  }

  #path(bucket: string, key: string): string {
    checkBucketName(bucket);
    checkKey(bucket, key);
    if (key.split('/')[0] === TEMPORARY_FOLDER) {
      throw new DomainError('ObjectStoreRefused', [bucket, key, 'the key is not allowed']);
    }
    return join(this.#root, bucket, key);
  }
}

/**
 * As an object store orders keys, by their UTF-8. A folder's name ends in a slash here, which puts the keys below it
 * where they belong between the files beside it.
 */
function inOrderOfBytes(names: readonly string[]): string[] {
  return names
    .map((name) => ({ name, bytes: Buffer.from(name) }))
    .sort((a, b) => Buffer.compare(a.bytes, b.bytes))
    .map(({ name }) => name);
}
