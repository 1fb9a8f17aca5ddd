/** Answers for bytes that never became a request: broken HTTP, headers without end, requests that take forever. */
import type { Socket } from 'node:net';
import { STATUS_CODES } from 'node:http';
import type { ConnectionError } from 'fastify';
import { DomainError, type ErrorName } from '../model/errors.ts';
import { renderError } from './error-renderer.ts';

const KINDS: Readonly<Record<string, ErrorName | undefined>> = {
  HPE_HEADER_OVERFLOW: 'HeadersTooLarge',
  ERR_HTTP_REQUEST_TIMEOUT: 'RequestTimeout',
};

/** Handles the `clientError` event of Node's server: writes one answer if nothing was written yet, and hangs up. */
export function answerClientError(error: ConnectionError, socket: Socket, requestId: string): void {
  const begun = (socket as { _httpMessage?: { headersSent?: boolean } | null })._httpMessage?.headersSent === true;
  if (error.code === 'ECONNRESET' || !socket.writable || begun) {
    socket.destroy();
    return;
  }
  const answer = renderError(new DomainError(KINDS[error.code] ?? 'InvalidRequest'), { authFailureStatus: 401 });
  const body = JSON.stringify(answer.body);
  const head = [
    `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status]}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-Id: ${requestId}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroySoon());
}
