/**
 * Objects in any service that speaks S3, OBS included. A bucket has to be there; Sluice makes none.
 *
 * Each request is tried twice, unless the service was silent: then it is given up at once, so that a put fails about
 * `timeoutSeconds` after the last sign of life. Longer patience is the caller's. Parts of failed uploads are removed,
 * and those of a process that was killed by `removeLeftovers`.
 */
import { createHash } from 'node:crypto';
import type {
  AbortMultipartUploadCommandInput,
  GetObjectCommandOutput,
  ListMultipartUploadsCommandInput,
  ListMultipartUploadsCommandOutput,
  S3,
} from '@aws-sdk/client-s3';
import { DomainError } from '../model/errors.ts';
import { inBlocks } from './blocks.ts';
import { checkBucketName, checkKey } from './names.ts';
import type { ListedObject, ObjectStore, PutOptions, PutResult, StoredObject } from './object-store.ts';
import { httpStatus, isSilence, refusal, SilentServerError } from './s3-errors.ts';
import { PART_BYTES, plainTag, S3Upload, type S3Calls } from './s3-upload.ts';

export interface S3StoreOptions {
  /** URL of the service. */
  readonly endpoint: string;
  readonly region: string;
  /** Both or none; without them the credential chain of the AWS SDK is asked. */
  readonly accessKey?: string | undefined;
  readonly secretKey?: string | undefined;
  /** Whether the bucket stands in the path rather than in the host name. */
  readonly pathStyle: boolean;
  /** Silence after which a request is given up. */
  readonly timeoutSeconds: number;
}

const ATTEMPTS = 2;

/** Connects to nothing yet: a service that is down is found out by the first call. */
export async function openS3Store(options: S3StoreOptions): Promise<ObjectStore> {
  // Loaded here since it takes a while, and a server that keeps its files in a directory never needs it.
  const { S3: Client } = await import('@aws-sdk/client-s3');
  const { endpoint, region, accessKey, secretKey, pathStyle, timeoutSeconds } = options;
  const timeout = timeoutSeconds * 1000;
  const client = new Client({
    endpoint,
    region,
    forcePathStyle: pathStyle,
    ...(accessKey !== undefined && secretKey !== undefined
      ? { credentials: { accessKeyId: accessKey, secretAccessKey: secretKey } }
      : {}),
    maxAttempts: ATTEMPTS,
    requestHandler: { connectionTimeout: timeout, socketTimeout: timeout },
    // The checksums that newer SDKs add by themselves are refused by a number of other services.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // `Expect: 100-continue` takes a new connection for each part and is not understood by every proxy.
    expectContinueHeader: false,
  });
  // Below the SDK's retries, so that silence is waited for once and not once an attempt.
  client.middlewareStack.add(
    (next) => async (args) => {
      try {
        return await next(args);
      } catch (error) {
        throw isSilence(error) ? new SilentServerError(timeoutSeconds) : error;
      }
    },
    { step: 'deserialize', name: 'giveUpOnSilence' },
  );
  return new S3Store(client);
}

class S3Store implements ObjectStore {
  readonly #client: S3;
  /** Uploads that are under way, by bucket and key. */
  readonly #uploading = new Set<string>();

  constructor(client: S3) {
    this.#client = client;
  }

  async checkBucket(bucket: string): Promise<void> {
    checkBucketName(bucket);
    try {
      await this.#client.headBucket({ Bucket: bucket });
    } catch (error) {
      throw httpStatus(error) === 404 ? new DomainError('BucketNotFound', [bucket]) : refusal(error, [bucket]);
    }
  }

  async put(
    bucket: string,
    key: string,
    body: AsyncIterable<Uint8Array>,
    { contentType, contentEncoding, signal }: PutOptions,
  ): Promise<PutResult> {
    const upload = new S3Upload(this.#calls([bucket, key], signal), target(bucket, key), {
      ContentType: contentType,
      ...(contentEncoding === undefined ? {} : { ContentEncoding: contentEncoding }),
    });
    const hash = createHash('sha256');
    const name = `${bucket}/${key}`;
    this.#uploading.add(name);
    try {
      for await (const block of inBlocks(body, PART_BYTES, signal)) {
        hash.update(block);
        await upload.add(block);
      }
      signal?.throwIfAborted();
      return { ...(await upload.finish()), sha256: hash.digest('hex') };
    } catch (error) {
      await upload.abandon();
      throw error;
    } finally {
      this.#uploading.delete(name);
    }
  }

  async head(bucket: string, key: string): Promise<StoredObject | undefined> {
    const place = target(bucket, key);
    try {
      const { ContentLength = 0, ETag } = await this.#client.headObject(place);
      return { bytes: ContentLength, etag: plainTag(ETag) };
    } catch (error) {
      // The answer to a HEAD has no body, so a missing bucket looks the same.
      if (httpStatus(error) === 404) return undefined;
      throw refusal(error, [bucket, key]);
    }
  }

  async *read(bucket: string, key: string): AsyncGenerator<Uint8Array, void, undefined> {
    const place = target(bucket, key);
    try {
      const { Body } = await this.#client.getObject(place);
      if (Body !== undefined) yield* pieces(Body);
    } catch (error) {
      throw refusal(error, [bucket, key]);
    }
  }

  async *list(bucket: string, prefix: string): AsyncGenerator<ListedObject, void, undefined> {
    checkBucketName(bucket);
    const calls = this.#calls([bucket]);
    for (let token: string | undefined, more = true; more; more = token !== undefined) {
      const place = { Bucket: bucket, Prefix: prefix, ...(token === undefined ? {} : { ContinuationToken: token }) };
      const page = await calls.run((s3) => s3.listObjectsV2(place));
      for (const { Key, Size = 0, ETag } of page.Contents ?? []) {
        if (Key !== undefined) yield { key: Key, bytes: Size, etag: ETag === undefined ? undefined : plainTag(ETag) };
      }
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    }
  }

  async removeLeftovers(
    bucket: string,
    prefix: string,
    isOurs: (key: string, begunAt: number) => boolean,
  ): Promise<number> {
    checkBucketName(bucket);
    const calls = this.#calls([bucket]);
    let removed = 0;
    for (let marker: UploadMarker | undefined = {}; marker !== undefined;) {
      const place: ListMultipartUploadsCommandInput = { Bucket: bucket, Prefix: prefix, ...marker };
      const page = await calls.run((s3) => s3.listMultipartUploads(place));
      for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
        if (Key === undefined || UploadId === undefined || this.#uploading.has(`${bucket}/${Key}`)) continue;
        if (isOurs(Key, Initiated?.getTime() ?? 0) && (await this.#abort({ Bucket: bucket, Key, UploadId })))
          removed += 1;
      }
      marker = nextPage(page);
    }
    return removed;
  }

  async delete(bucket: string, key: string): Promise<void> {
    const place = target(bucket, key);
    await this.#calls([bucket, key]).run((s3) => s3.deleteObject(place));
  }

  async close(): Promise<void> {
    this.#client.destroy();
  }

  /** False when there is no such upload: it was finished after it was listed, or the service lists what it has not. */
  async #abort(upload: AbortMultipartUploadCommandInput): Promise<boolean> {
    try {
      await this.#client.abortMultipartUpload(upload);
      return true;
    } catch (error) {
      if (httpStatus(error) === 404) return false;
      throw refusal(error, [upload.Bucket ?? '']);
    }
  }

  #calls(names: readonly string[], signal?: AbortSignal): S3Calls {
    return {
      run: async (call, stoppable = false) => {
        try {
          return await call(this.#client, stoppable && signal !== undefined ? { abortSignal: signal } : {});
        } catch (error) {
          if (stoppable) signal?.throwIfAborted();
          throw refusal(error, names);
        }
      },
    };
  }
}

type UploadMarker = Pick<ListMultipartUploadsCommandInput, 'KeyMarker' | 'UploadIdMarker'>;

function nextPage(page: ListMultipartUploadsCommandOutput): UploadMarker | undefined {
  const { IsTruncated, NextKeyMarker: KeyMarker, NextUploadIdMarker: UploadIdMarker } = page;
  if (IsTruncated !== true || KeyMarker === undefined) return undefined;
  return { KeyMarker, ...(UploadIdMarker === undefined ? {} : { UploadIdMarker }) };
}

function target(bucket: string, key: string): { Bucket: string; Key: string } {
  checkBucketName(bucket);
  checkKey(bucket, key);
  return { Bucket: bucket, Key: key };
}

/** The body of an answer; a reader that stops early closes the connection. */
function pieces(body: NonNullable<GetObjectCommandOutput['Body']>): AsyncIterable<Uint8Array> {
  // In Node it is the stream of the answer; the SDK's type also covers browsers.
  return body as AsyncIterable<Uint8Array>;
}
