/**
 * Request bodies, of every method: first bytes, which signatures are made of, then JSON whatever the content type says,
 * since DIS clients are careless with it. Members named `__proto__` or `constructor` are plain members of what is parsed:
 * do not copy a body with Object.assign.
 */
import { isUtf8 } from 'node:buffer';
import type { FastifyInstance } from 'fastify';
import { DomainError } from '../model/errors.ts';

/** Until `decodeBodies` has had its turn a request's body is a Buffer, or undefined for none. */
export function readBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  // The Python DIS client sends a body with GET, and signs it.
  app.addHttpMethod('GET', { hasBody: true, overrideExisting: true });
  // The usual type by its name: for any other one fastify takes the header apart.
  app.addContentTypeParser<Buffer>(['application/json', '*'], { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  );
}

/** To be called after `authenticate`: nothing is decoded for a caller that is not known. */
export function decodeBodies(app: FastifyInstance): void {
  app.addHook('preValidation', (request, _reply, done) => {
    const bytes = request.body as Buffer | undefined;
    if (bytes === undefined) return done();
    try {
      refuseOtherForms(request.headers['content-type'], request.headers['content-encoding']);
      request.body = parseJson(bytes);
      done();
    } catch (error) {
      done(error as Error);
    }
  });
}

/** Undefined for no bytes at all. Throws InvalidBody. */
export function parseJson(body: Buffer): unknown {
  if (body.length === 0) return undefined;
  // Decoding would silently change what is not UTF-8, record keys included.
  if (!isUtf8(body)) throw new DomainError('InvalidBody', ['body', 'must be UTF-8']);
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw new DomainError('InvalidBody', ['body', 'must be JSON'], error);
  }
}

/** Protobuf and compressed bodies are part of DIS and not served: better said than reported as broken JSON. */
function refuseOtherForms(type: string | undefined, encoding: string | undefined): void {
  if (type?.includes('protobuf')) throw new DomainError('UnsupportedMediaType', ['application/x-protobuf']);
  if (encoding !== undefined && encoding !== '' && encoding !== 'identity') {
    throw new DomainError('UnsupportedMediaType', [encoding.slice(0, 64)]);
  }
}
