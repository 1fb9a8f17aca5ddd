/**
 * Which bucket names and keys Sluice uses. Both stores check them the same way, so that a task may move from one to the
 * other and no name reaches out of the place it is meant for. A service may be stricter still, and says so itself.
 */
import { DomainError } from '../model/errors.ts';

const BUCKET = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,254}$/;
const MAX_KEY_BYTES = 1024;
// A backslash would separate folders on some systems; NUL ends a path on all others.
const FORBIDDEN_IN_KEY = /[\0\\]/;
const FORBIDDEN_SEGMENTS = new Set(['', '.', '..']);

/** 1–255 letters, digits, `.`, `_` and `-`, not beginning with a dot. Throws BucketNotFound. */
export function checkBucketName(bucket: string): void {
  if (!BUCKET.test(bucket)) throw new DomainError('BucketNotFound', [bucket]);
}

/**
 * Segments between slashes, none of them empty, `.` or `..`, so neither a leading nor a trailing slash; 1–1024 bytes of
 * well-formed UTF-8 without NUL and backslash. Throws ObjectStoreRefused.
 */
export function checkKey(bucket: string, key: string): void {
  const fits =
    key.isWellFormed() &&
    Buffer.byteLength(key) <= MAX_KEY_BYTES &&
    !FORBIDDEN_IN_KEY.test(key) &&
    key.split('/').every((segment) => !FORBIDDEN_SEGMENTS.has(segment));
  if (!fits) throw new DomainError('ObjectStoreRefused', [bucket, key, 'the key is not allowed']);
}
