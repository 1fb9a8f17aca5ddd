/**
 * Where finished files go: the contract of the local directory (`directory.ts`) and of any S3-compatible service, OBS
 * included (`s3.ts`). Objects are whole or absent: a reader never sees a part of one.
 *
 * Refusals are DomainErrors: BucketNotFound, ObjectStoreRefused (access denied, unreachable, timed out, any answer
 * that is not a success, a key that `names.ts` does not allow). The message says what the store answered, never a
 * secret.
 */

export interface PutOptions {
  readonly contentType: string;
  /** For example `gzip`; absent for plain bytes. */
  readonly contentEncoding?: string;
  /**
   * Stops the upload, at the latest before the next piece of the body; `put` then rejects with the signal's reason (not
   * with ObjectStoreRefused) and leaves no object and no part behind, as far as the store lets it. An abort that comes
   * when the store has all the bytes may find the object complete.
   */
  readonly signal?: AbortSignal;
}

export interface StoredObject {
  /** Length in bytes. */
  readonly bytes: number;
  /** The store's entity tag without quotes; its form is the store's own. */
  readonly etag: string;
}

/** No tag: a local directory would have to read every file for it. */
export interface PutResult extends StoredObject {
  /** SHA-256 in hex of the bytes as they were handed to the store. */
  readonly sha256: string;
}

export interface ListedObject {
  readonly key: string;
  /** Length in bytes. */
  readonly bytes: number;
  /** As in StoredObject; undefined where the store would have to read every object for it. */
  readonly etag: string | undefined;
}

export interface ObjectStore {
  /** Resolves when files can be put into `bucket`; a store that makes buckets on demand makes it. */
  checkBucket(bucket: string): Promise<void>;

  /**
   * Stores the bytes of `body` under `key`, replacing what is there. Resolves once the object is durable and complete.
   * Memory stays bounded however long the body is. A piece of the body is looked at only until the next but one is asked for:
   * whoever makes the body may use its memory again then. The same bytes under the same key may be put any number of times.
   * An error of `body` itself is rethrown as it is.
   */
  put(bucket: string, key: string, body: AsyncIterable<Uint8Array>, options: PutOptions): Promise<PutResult>;

  /** Size and tag of an object, or undefined when there is none. A local directory reads the whole file for the tag. */
  head(bucket: string, key: string): Promise<StoredObject | undefined>;

  /** The bytes of an object, in pieces. Throws ObjectStoreRefused when there is none. */
  read(bucket: string, key: string): AsyncIterable<Uint8Array>;

  /** Every object whose key starts with `prefix`, in an order that is the store's own: not all services sort as S3 does. */
  list(bucket: string, prefix: string): AsyncIterable<ListedObject>;

  /**
   * Removes what uploads of earlier runs have left half done: parts, not objects. Takes those for which `isOurs` says so, by
   * key and time of their begin (ms, 0 where it is not known), except this store's own uploads. Resolves to how many there
   * were.
   */
  removeLeftovers(bucket: string, prefix: string, isOurs: (key: string, begunAt: number) => boolean): Promise<number>;

  /** Removes an object; a missing one is fine. */
  delete(bucket: string, key: string): Promise<void>;

  close(): Promise<void>;
}
