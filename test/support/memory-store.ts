/** An object store in memory, for tests that write many files and look at what came of each put. */
import { createHash } from 'node:crypto';
import { DomainError } from '../../src/model/errors.ts';
import type { ListedObject, ObjectStore, PutOptions, PutResult, StoredObject } from '../../src/objects/object-store.ts';

export interface KeptObject {
  readonly bytes: Buffer;
  readonly contentType: string;
  readonly contentEncoding: string | undefined;
}

export class MemoryStore implements ObjectStore {
  /** By `<bucket>/<key>`. */
  readonly objects = new Map<string, KeptObject>();
  /** Called when a put has its first piece; what it throws is why the put fails. */
  onPut: (key: string) => void | Promise<void> = () => undefined;
  /** Called when a put has read everything, before the object is there. */
  onRead: (key: string) => void | Promise<void> = () => undefined;
  /** Puts that are under way, now and at the most. */
  running = 0;
  mostRunning = 0;

  async checkBucket(): Promise<void> {}

  async put(bucket: string, key: string, body: AsyncIterable<Uint8Array>, options: PutOptions): Promise<PutResult> {
    const { contentType, contentEncoding, signal } = options;
    this.running += 1;
    this.mostRunning = Math.max(this.mostRunning, this.running);
    const pieces: Buffer[] = [];
    // As the contract allows: a piece is looked at when the next one is there.
    let last: Uint8Array | undefined;
    try {
      for await (const piece of body) {
        signal?.throwIfAborted();
        if (last === undefined) await this.onPut(key);
        else pieces.push(Buffer.from(last));
        last = piece;
      }
      await this.onRead(key);
      signal?.throwIfAborted();
      if (last !== undefined) pieces.push(Buffer.from(last));
    } finally {
      this.running -= 1;
    }
    const bytes = Buffer.concat(pieces);
    this.objects.set(`${bucket}/${key}`, { bytes, contentType, contentEncoding });
    const stored = describe(bytes);
    return { ...stored, sha256: stored.etag };
  }

  async head(bucket: string, key: string): Promise<StoredObject | undefined> {
    const found = this.objects.get(`${bucket}/${key}`);
    return found && describe(found.bytes);
  }

  async *read(bucket: string, key: string): AsyncGenerator<Uint8Array, void, undefined> {
    const found = this.objects.get(`${bucket}/${key}`);
    if (found === undefined) throw new DomainError('ObjectStoreRefused', [bucket, key, 'there is no such object']);
    yield found.bytes;
  }

  async *list(bucket: string, prefix: string): AsyncGenerator<ListedObject, void, undefined> {
    const start = `${bucket}/`;
    for (const name of [...this.objects.keys()].sort()) {
      const key = name.slice(start.length);
      if (name.startsWith(start) && key.startsWith(prefix)) yield { key, ...describe(this.objects.get(name)!.bytes) };
    }
  }

  async removeLeftovers(): Promise<number> {
    return 0;
  }

  async delete(bucket: string, key: string): Promise<void> {
    this.objects.delete(`${bucket}/${key}`);
  }

  async close(): Promise<void> {}
}

function describe(bytes: Buffer): StoredObject {
  return { bytes: bytes.length, etag: createHash('sha256').update(bytes).digest('hex') };
}
