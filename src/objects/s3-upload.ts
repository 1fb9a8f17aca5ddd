/**
 * The upload of one object to S3, fed block by block: one PutObject if its only block is shorter than a part, else a
 * multipart upload that is completed or aborted. One part is on its way while the next is being gathered.
 *
 * The service is asked through `S3Calls`, which has the errors translated and the signal of the put looked after.
 */
import type { CompletedPart, S3 } from '@aws-sdk/client-s3';
import { DomainError } from '../model/errors.ts';
import type { StoredObject } from './object-store.ts';

/** Above the least part of S3 (5 MiB); 10,000 parts, the most there may be, hold 78 GiB. */
export const PART_BYTES = 8 * 1024 * 1024;

export interface S3Target {
  readonly Bucket: string;
  readonly Key: string;
}

export interface ObjectHeaders {
  readonly ContentType: string;
  readonly ContentEncoding?: string;
}

export interface S3Calls {
  /** Runs one call and translates its errors. `stoppable` calls end with the put's signal, the others run to their end. */
  run<T>(call: (s3: S3, options: { abortSignal?: AbortSignal }) => Promise<T>, stoppable?: boolean): Promise<T>;
}

export class S3Upload {
  readonly #calls: S3Calls;
  readonly #target: S3Target;
  readonly #headers: ObjectHeaders;
  readonly #parts: CompletedPart[] = [];
  #uploadId: string | undefined;
  #sending: Promise<void> = Promise.resolve();
  #bytes = 0;
  /** The tag of an object that one request has stored. */
  #tag: string | undefined;

  constructor(calls: S3Calls, target: S3Target, headers: ObjectHeaders) {
    this.#calls = calls;
    this.#target = target;
    this.#headers = headers;
  }

  /**
   * Takes the next block: PART_BYTES of them, only the last one shorter. Resolves when the block before it is stored;
   * this one must stay as it is until the next call resolves.
   */
  async add(block: Buffer): Promise<void> {
    this.#bytes += block.byteLength;
    if (this.#uploadId === undefined) {
      if (block.byteLength < PART_BYTES) {
        this.#tag = await this.#putWhole(block);
        return;
      }
      this.#uploadId = await this.#begin();
    }
    await this.#sending;
    this.#sending = this.#sendPart(this.#uploadId, this.#parts.length + 1, block);
    // Awaited by the next call; until then a failure must not count as one that nobody looks at.
    this.#sending.catch(() => undefined);
  }

  /** Makes the object appear. */
  async finish(): Promise<StoredObject> {
    await this.#sending;
    const UploadId = this.#uploadId;
    if (UploadId !== undefined) {
      // Not stopped half way: it would not be known whether the object is there.
      const { ETag } = await this.#calls.run((s3, options) =>
        s3.completeMultipartUpload({ ...this.#target, UploadId, MultipartUpload: { Parts: this.#parts } }, options),
      );
      this.#tag = ETag;
    }
    return { bytes: this.#bytes, etag: plainTag(this.#present(this.#tag, 'entity tag')) };
  }

  /** Gives the upload up and has the service forget its parts. Never throws. */
  async abandon(): Promise<void> {
    // A part that arrives after the abort would stay.
    await this.#sending.catch(() => undefined);
    const UploadId = this.#uploadId;
    if (UploadId === undefined) return;
    await this.#calls
      .run((s3, options) => s3.abortMultipartUpload({ ...this.#target, UploadId }, options))
      // Why the upload failed is what counts. Parts of a service that cannot be reached are left to the lifecycle rule
      // that buckets have for them.
      .catch(() => undefined);
  }

  async #putWhole(Body: Buffer): Promise<string | undefined> {
    const input = { ...this.#target, ...this.#headers, Body, ContentLength: Body.byteLength };
    const { ETag } = await this.#calls.run((s3, options) => s3.putObject(input, options), true);
    return ETag;
  }

  async #begin(): Promise<string> {
    // Not stopped half way: an upload whose id is not known cannot be aborted.
    const { UploadId } = await this.#calls.run((s3, options) =>
      s3.createMultipartUpload({ ...this.#target, ...this.#headers }, options),
    );
    return this.#present(UploadId, 'upload id');
  }

  async #sendPart(UploadId: string, PartNumber: number, Body: Buffer): Promise<void> {
    const input = { ...this.#target, UploadId, PartNumber, Body, ContentLength: Body.byteLength };
    const { ETag } = await this.#calls.run((s3, options) => s3.uploadPart(input, options), true);
    this.#parts.push({ PartNumber, ETag: this.#present(ETag, 'entity tag') });
  }

  /** A 200 without what S3 always sends came from something else, such as a proxy's own page: nothing is stored. */
  #present(value: string | undefined, what: string): string {
    if (value !== undefined) return value;
    throw new DomainError('ObjectStoreRefused', [this.#target.Bucket, this.#target.Key, `no ${what} in the answer`]);
  }
}

/** Without the quotes that HTTP puts around it. */
export function plainTag(tag: string | undefined): string {
  return tag?.replaceAll('"', '') ?? '';
}
