/** An object store that keeps nothing: it tells what would have been stored, so that files can be made again to be compared. */
import { createHash } from 'node:crypto';
import { DomainError } from '../../model/errors.ts';
import type { ObjectStore, PutResult } from '../../objects/object-store.ts';

export class HashingStore implements ObjectStore {
  async checkBucket(): Promise<void> {}

  async put(_bucket: string, _key: string, body: AsyncIterable<Uint8Array>): Promise<PutResult> {
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const piece of body) {
      hash.update(piece);
      bytes += piece.byteLength;
    }
    return { bytes, sha256: hash.digest('hex'), etag: '' };
  }

  async head(): Promise<undefined> {
    return undefined;
  }

  async *read(bucket: string, key: string): AsyncGenerator<Uint8Array, void, undefined> {
    throw new DomainError('ObjectStoreRefused', [bucket, key, 'nothing is kept here']);
  }

  async *list(): AsyncGenerator<never, void, undefined> {}

  async removeLeftovers(): Promise<number> {
    return 0;
  }

  async delete(): Promise<void> {}

  async close(): Promise<void> {}
}
