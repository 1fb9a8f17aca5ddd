/**
 * What an S3 service or the way to it answered, as a refusal: bucket, key, and then either the HTTP status with the
 * service's code (`503 SlowDown`), the error code of the connection (`ECONNREFUSED`), or how long nothing was heard.
 * Nothing else of an answer goes on: some services repeat the access key or the signed text in it.
 */
import { DomainError } from '../model/errors.ts';

/** Nothing came and nothing could be sent for the whole timeout. */
export class SilentServerError extends Error {
  override readonly name = 'SilentServerError';

  constructor(seconds: number) {
    super(`no answer for ${seconds} s`);
  }
}

/** BucketNotFound when the service says so, else ObjectStoreRefused. `names` are the bucket and, if any, the key. */
export function refusal(error: unknown, names: readonly string[]): DomainError {
  const [bucket = ''] = names;
  const status = httpStatus(error);
  if (status !== undefined) {
    const code = textOf(error, 'name');
    return code === 'NoSuchBucket'
      ? new DomainError('BucketNotFound', [bucket])
      : new DomainError('ObjectStoreRefused', [...names, `${status} ${code}`]);
  }
  if (error instanceof SilentServerError) return new DomainError('ObjectStoreRefused', [...names, error.message]);
  return new DomainError('ObjectStoreRefused', [...names, textOf(error, 'code') || textOf(error, 'name')], error);
}

/** The HTTP status of an answer that was not a success; undefined when there was no answer. */
export function httpStatus(error: unknown): number | undefined {
  const metadata = property(error, '$metadata');
  const status = property(metadata, 'httpStatusCode');
  return typeof status === 'number' ? status : undefined;
}

/**
 * Whether the SDK gave up waiting. It also calls a connection that broke a `TimeoutError`, but that one has the code
 * of the system's error.
 */
export function isSilence(error: unknown): boolean {
  return property(error, 'name') === 'TimeoutError' && property(error, 'code') === undefined;
}

/** A word of an error that comes from outside, or nothing if it is more than a word. */
function textOf(error: unknown, name: string): string {
  const value = property(error, name);
  return typeof value === 'string' && /^[\w.-]{1,64}$/.test(value) ? value : '';
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
