/** Errors of a disk that has no room: waiting or deleting may help, and nothing else is wrong. */

const CODES = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

export function isNoSpace(error: unknown): boolean {
  return CODES.has((error as NodeJS.ErrnoException | undefined)?.code ?? '');
}
