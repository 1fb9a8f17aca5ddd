/** The errors of a disk as a refusal that tells their code (`ENOSPC`, `EIO`, `EACCES`). */
import { DomainError } from '../model/errors.ts';

/** Runs disk calls for the bucket and key in `names`, and turns what they throw into ObjectStoreRefused. */
export async function refusing<T>(names: readonly string[], run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw refusal(error, names);
  }
}

/** ObjectStoreRefused for an error with a code; anything else is a refusal already or a defect, and stays what it is. */
export function refusal(error: unknown, names: readonly string[]): unknown {
  const code = errorCode(error);
  if (code === '' || error instanceof DomainError) return error;
  return new DomainError('ObjectStoreRefused', [...names, code], error);
}

/** Node's code of an error, or nothing if it has none. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
