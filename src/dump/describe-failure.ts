/** An error as the dump log tells it: its code, as in the table of errors, and its cause. */
import { DomainError, ERRORS } from '../model/errors.ts';
import { DamagedRecords } from '../recordlog/record-log.ts';

const MAX_CAUSE_CHARACTERS = 1000;

export function describeFailure(error: unknown): { readonly errorCode: string; readonly cause: string } {
  const errorCode = codeOf(error);
  const cause = error instanceof Error ? error.message : String(error);
  return { errorCode, cause: cause.slice(0, MAX_CAUSE_CHARACTERS) };
}

function codeOf(error: unknown): string {
  if (error instanceof DamagedRecords) return ERRORS.RecordsDamaged.code;
  return error instanceof DomainError ? error.code : ERRORS.Internal.code;
}
