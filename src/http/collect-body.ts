/**
 * Puts the bytes of a body together as they arrive. A body of one piece is that piece; a larger one is written into
 * a buffer of the pool, since fresh memory for each would be most of the garbage that a put makes. Whoever is done with the
 * body gives the loan back; a request that fails leaves it to the garbage collector.
 */
import type { FastifyRequest } from 'fastify';
import type { IncomingMessage } from 'node:http';
import { DomainError } from '../model/errors.ts';
import { BufferLoan, type BufferPool } from '../platform/buffer-pool.ts';

export interface CollectOptions {
  readonly buffers: BufferPool;
  /** Most bytes of a body. */
  readonly maxBytes: number;
}

export type BodyCollected = (error: Error | null, body?: Buffer) => void;

/** Calls `done` once, with RequestTooLarge or InvalidBody when the body is not to be had. Sets `request.bodyLoan`. */
export function collectBody(
  request: FastifyRequest,
  payload: IncomingMessage,
  { buffers, maxBytes }: CollectOptions,
  done: BodyCollected,
): void {
  const declared = request.headers['content-length'];
  if (Number(declared) > maxBytes) return done(new DomainError('RequestTooLarge', ['bytes of the body', maxBytes]));
  const pieces: Buffer[] = [];
  let length = 0;

  const finish: BodyCollected = (error, body) => {
    payload.off('data', onData).off('end', onEnd).off('error', onError);
    done(error, body);
  };
  const onData = (piece: Buffer) => {
    pieces.push(piece);
    length += piece.length;
    // What still comes flows on, unheard.
    if (length > maxBytes) finish(new DomainError('RequestTooLarge', ['bytes of the body', maxBytes]));
  };
  const onEnd = () => {
    if (pieces.length <= 1) return finish(null, pieces[0] ?? Buffer.alloc(0));
    const loan = new BufferLoan(buffers);
    request.bodyLoan = loan;
    const body = loan.take(length);
    let at = 0;
    for (const piece of pieces) at += piece.copy(body, at);
    finish(null, body.subarray(0, length));
  };
  const onError = (error: Error) => finish(new DomainError('InvalidBody', ['body', 'was not received'], error));
  payload.on('data', onData).on('end', onEnd).on('error', onError);
}
