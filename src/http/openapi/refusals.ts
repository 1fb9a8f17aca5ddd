/**
 * The refusals of the API description: one shared response for each status of the error table, with its codes, and which
 * of them an operation may answer.
 */
import { STATUS_CODES } from 'node:http';
import { ERRORS } from '../../model/errors.ts';
import { ErrorReply } from '../schemas/errors.ts';

export const SHARED_SCHEMAS = { Error: ErrorReply };

interface SharedResponse {
  readonly description: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly content: Readonly<Record<string, unknown>>;
}

export interface OperationTraits {
  readonly public: boolean;
  readonly hasBody: boolean;
  readonly changes: boolean;
}

export const REQUEST_ID = { 'X-Request-Id': { $ref: '#/components/headers/X-Request-Id' } };

/** By name, as operations refer to them: `Refusal400`, …, and `Refusal` for every status that has none of its own. */
export function sharedRefusals(authFailureStatus: number): Record<string, SharedResponse> {
  const byStatus = Map.groupBy(Object.values(ERRORS), ({ status }) => (status === 401 ? authFailureStatus : status));
  const responses: Record<string, SharedResponse> = { Refusal: refusal('Any other refusal.') };
  for (const [status, kinds] of byStatus) {
    const lines = kinds.map(({ code, text }) => `- ${code}: ${text.replace('{}', '…')}`);
    responses[`Refusal${status}`] = refusal([`${STATUS_CODES[status] ?? 'Unauthorized'}.`, '', ...lines].join('\n'));
  }
  return responses;
}

/** What an operation may answer instead of a success, by status. */
export function refusalsOf(traits: OperationTraits, authFailureStatus: number): Record<string, { $ref: string }> {
  const statuses = [
    400,
    ...(traits.public ? [] : [authFailureStatus, 403]),
    ...(traits.hasBody ? [413, 415] : []),
    429,
    500,
    503,
    ...(traits.changes ? [507] : []),
  ];
  const entries = statuses.map((status) => [status, { $ref: `#/components/responses/Refusal${status}` }] as const);
  return { ...Object.fromEntries(entries), default: { $ref: '#/components/responses/Refusal' } };
}

function refusal(description: string): SharedResponse {
  const content = { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } };
  return { description, headers: REQUEST_ID, content };
}
