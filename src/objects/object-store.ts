/**
 * Where finished files go: the contract of the local directory (`directory.ts`) and of any S3-compatible service, OBS
 * included (`s3.ts`). Objects are whole or absent: a reader never sees a part of one.
 *
 * Refusals are DomainErrors: BucketNotFound, ObjectStoreRefused (access denied, unreachable, timed out, any answer
 * that is not a success). The message says what the store answered, never a secret.
 */

export interface PutOptions {
  readonly contentType: string;
  /** For example `gzip`; absent for plain bytes. */
  readonly contentEncoding?: string;
  /** Stops the upload; `put` then rejects and leaves no object and no part behind, as far as the store lets it. */
  readonly signal?: AbortSignal;
}

export interface StoredObject {
  /** Length in bytes. */
  readonly bytes: number;
  /** The store's entity tag without quotes. */
  readonly etag: string;
}

export interface ListedObject extends StoredObject {
  readonly key: string;
}

export interface ObjectStore {
  /** Resolves when files can be put into `bucket`; a store that makes buckets on demand makes it. */
  checkBucket(bucket: string): Promise<void>;

  /**
   * Stores the bytes of `body` under `key`, replacing what is there. Resolves once the object is durable and complete.
   * Memory stays bounded however long the body is. The same bytes under the same key may be put any number of times.
   */
  put(bucket: string, key: string, body: AsyncIterable<Uint8Array>, options: PutOptions): Promise<StoredObject>;

  /** Size and tag of an object, or undefined when there is none. */
  head(bucket: string, key: string): Promise<StoredObject | undefined>;

  /** The bytes of an object, in pieces. Throws ObjectStoreRefused when there is none. */
  read(bucket: string, key: string): AsyncIterable<Uint8Array>;

  /** Every object whose key starts with `prefix`, in order of key. */
  list(bucket: string, prefix: string): AsyncIterable<ListedObject>;

  /** Removes an object; a missing one is fine. */
  delete(bucket: string, key: string): Promise<void>;

  close(): Promise<void>;
}
