/** The token that a call is about. */
import type { IncomingHttpHeaders } from 'node:http';
import { DomainError } from '../../../model/errors.ts';

/** Throws TokenMissing when there is none. */
export function readSubjectToken(headers: IncomingHttpHeaders): string {
  const token = headers['x-subject-token'];
  if (typeof token !== 'string' || token === '') throw new DomainError('TokenMissing', ['X-Subject-Token']);
  return token;
}
