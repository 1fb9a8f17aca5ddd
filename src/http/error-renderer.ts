/**
 * The one place where an error becomes an answer: status, body and headers. What is not a DomainError is Internal: it is
 * logged with its stack and the caller learns nothing about it but the request id.
 */
import { STATUS_CODES } from 'node:http';
import { LoginBlockedError } from '../auth/login-limiter.ts';
import { isDiskFull } from '../catalog/disk-full.ts';
import { DomainError, type ErrorName } from '../model/errors.ts';

export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface RenderOptions {
  /** What failed authentications answer instead of 401: auth.failure_status of the config. */
  readonly authFailureStatus: number;
  /** Adds the error object of IAM, for the calls that are IAM's. */
  readonly iam?: boolean | undefined;
}

/** Fastify's own refusals. Those that are not here are told by their status: ours if 5xx, the caller's if 4xx. */
const FRAMEWORK_ERRORS: Readonly<Record<string, ErrorName | undefined>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'RequestTooLarge',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'UnsupportedMediaType',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'InvalidBody',
  FST_ERR_NOT_FOUND: 'UnknownRoute',
};

/** The refusal that a thrown value stands for; the value itself is kept as its cause. */
export function toDomainError(error: unknown): DomainError {
  if (error instanceof DomainError) return error;
  if (isDiskFull(error)) return new DomainError('DiskFull', [], error);
  const { code, statusCode } = (error ?? {}) as { readonly code?: unknown; readonly statusCode?: unknown };
  const known = typeof code === 'string' ? FRAMEWORK_ERRORS[code] : undefined;
  if (known !== undefined) return new DomainError(known, [], error);
  const refused = typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500;
  return new DomainError(refused ? 'InvalidRequest' : 'Internal', [], error);
}

export function renderError(error: DomainError, { authFailureStatus, iam = false }: RenderOptions): ErrorAnswer {
  const { code, message } = error;
  const status = error.status === 401 ? authFailureStatus : error.status;
  const headers: Record<string, string> = {};
  if (error.kind === 'ShuttingDown') headers['connection'] = 'close';
  if (error instanceof LoginBlockedError) headers['retry-after'] = String(error.retryAfterSeconds);
  return {
    status,
    headers,
    body: {
      errorCode: code,
      message,
      error_code: code,
      error_msg: message,
      ...(iam ? { error: { code: status, message, title: STATUS_CODES[status] ?? 'Unauthorized' } } : {}),
    },
  };
}
