/**
 * `Expect: 100-continue`: a caller that asks before it sends its body is told to go on when the body is about to be read,
 * so not before its token and the length that it declares were looked at. One that is refused before that may or may not
 * send its body, so Node closes the connection. Other expectations are not looked at, as the standard allows.
 */
import type { FastifyInstance } from 'fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { DomainError } from '../../model/errors.ts';

/** `maxBytes`: most bytes of a body. */
export function continueBodies(app: FastifyInstance, maxBytes: number): void {
  const waiting = new WeakSet<IncomingMessage>();
  const serve = (request: IncomingMessage, response: ServerResponse) =>
    void app.server.emit('request', request, response);
  app.server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    waiting.add(request);
    serve(request, response);
  });
  app.server.on('checkExpectation', serve);
  app.addHook('preParsing', (request, { raw }, _payload, done) => {
    if (request.headers.expect === undefined || !waiting.has(request.raw)) return done();
    if (request.is404) return done(new DomainError('UnknownRoute', [request.method, request.url.slice(0, 256)]));
    // A body that is too large is refused when its reading begins, before a byte of it.
    if (!(Number(request.headers['content-length']) > maxBytes)) raw.writeContinue();
    done();
  });
}
