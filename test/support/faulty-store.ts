/** An object store that fails on purpose, around a real one. */
import { baseOf } from '../../src/dump/cuts/object-name.ts';
import { DomainError } from '../../src/model/errors.ts';
import type { ListedObject, ObjectStore, PutOptions, PutResult, StoredObject } from '../../src/objects/object-store.ts';

/**
 * What becomes of a put: `before`: refused at once; `midway`: refused after the first piece; `after`: stored whole, but
 * the answer is lost; `hang`: nothing happens until it is aborted; `hold`: nothing happens until `release`.
 */
export type Fault = 'none' | 'before' | 'midway' | 'after' | 'hang' | 'hold';

export class FaultyStore implements ObjectStore {
  readonly #store: ObjectStore;
  /** Faults of the next puts, one each; then there are none. */
  readonly faults: Fault[] = [];
  /** As long as it is set, every put has it. */
  always: Fault | undefined;
  failDeletes = false;
  /** Keys of the puts that hang, and of those that are held with what lets them go on. */
  readonly #hung = new Set<string>();
  readonly #held = new Map<string, () => void>();
  puts = 0;

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  checkBucket(bucket: string): Promise<void> {
    return this.#store.checkBucket(bucket);
  }

  async put(bucket: string, key: string, body: AsyncIterable<Uint8Array>, options: PutOptions): Promise<PutResult> {
    this.puts += 1;
    switch (this.always ?? this.faults.shift() ?? 'none') {
      case 'none':
        return this.#store.put(bucket, key, body, options);
      case 'before':
        throw refused(bucket, 'before');
      case 'midway':
        await body[Symbol.asyncIterator]().next();
        throw refused(bucket, 'midway');
      case 'after':
        await this.#store.put(bucket, key, body, options);
        throw refused(bucket, 'after');
      case 'hang':
        return this.#hang(key, options.signal);
      case 'hold':
        await new Promise<void>((resolve) => this.#held.set(key, resolve));
        return this.#store.put(bucket, key, body, options);
    }
  }

  /** Puts that hang or are held at the moment. */
  get hanging(): number {
    return this.#hung.size + this.#held.size;
  }

  /** Cuts that cannot come to an end, since one of their puts or several hang. */
  get hangingCuts(): number {
    const names = [...this.#hung, ...this.#held.keys()].map((key) => key.slice(key.lastIndexOf('/') + 1));
    return new Set(names.map(baseOf)).size;
  }

  /** Lets the puts that are held go on. */
  release(): void {
    const held = [...this.#held.values()];
    this.#held.clear();
    for (const go of held) go();
  }

  head(bucket: string, key: string): Promise<StoredObject | undefined> {
    return this.#store.head(bucket, key);
  }

  read(bucket: string, key: string): AsyncIterable<Uint8Array> {
    return this.#store.read(bucket, key);
  }

  list(bucket: string, prefix: string): AsyncIterable<ListedObject> {
    return this.#store.list(bucket, prefix);
  }

  removeLeftovers(bucket: string, prefix: string, isOurs: (key: string, begunAt: number) => boolean): Promise<number> {
    return this.#store.removeLeftovers(bucket, prefix, isOurs);
  }

  async delete(bucket: string, key: string): Promise<void> {
    if (this.failDeletes) throw refused(bucket, 'delete');
    await this.#store.delete(bucket, key);
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  async #hang(key: string, signal: AbortSignal | undefined): Promise<never> {
    this.#hung.add(key);
    try {
      return await new Promise((_resolve, reject) => {
        const abort = () => reject(signal?.reason as Error);
        if (signal?.aborted) abort();
        else signal?.addEventListener('abort', abort, { once: true });
      });
    } finally {
      this.#hung.delete(key);
    }
  }
}

function refused(bucket: string, when: string): DomainError {
  return new DomainError('ObjectStoreRefused', [bucket, `503 Slow Down (${when})`]);
}
