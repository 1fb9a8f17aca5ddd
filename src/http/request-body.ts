/**
 * Request bodies, of every method: first bytes, which signatures are made of, then what those bytes are once decompressed:
 * JSON whatever the content type says, since DIS clients are careless with it, or, on routes with `config: { protobuf:
 * true }`, a message that the route reads from the bytes itself. Members named `__proto__` or `constructor` are plain members of what is parsed:
 * do not copy a body with Object.assign.
 */
import { isUtf8 } from 'node:buffer';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { COMPRESSIONS, decompress, type Compression } from '../codec/compression.ts';
import { DomainError } from '../model/errors.ts';
import { collectBody, type CollectOptions } from './collect-body.ts';
import { isProtobuf } from './media-types.ts';

/** Until `decodeBodies` has had its turn a request's body is a Buffer, or undefined for none. */
export function readBodies(app: FastifyInstance, options: CollectOptions): void {
  app.removeAllContentTypeParsers();
  app.decorateRequest('bodyLoan', undefined);
  // The Python DIS client sends a body with GET, and signs it.
  app.addHttpMethod('GET', { hasBody: true, overrideExisting: true });
  // The usual type by its name: for any other one fastify takes the header apart.
  app.addContentTypeParser(['application/json', '*'], (request, payload, done) =>
    collectBody(request, payload, options, done),
  );
}

/**
 * To be called after `authenticate`: nothing is decoded for a caller that is not known. `maxBytes` is what a compressed
 * body may become, inclusive.
 */
export function decodeBodies(app: FastifyInstance, maxBytes: number): void {
  app.addHook('preValidation', (request, _reply, done) => {
    const bytes = request.body as Buffer | undefined;
    if (bytes === undefined) return done();
    try {
      // The content type of a get tells the form of its answer: without bytes there is nothing to decode.
      request.body = bytes.length === 0 ? undefined : decodeBody(bytes, request, maxBytes);
      if (request.body !== bytes) request.bodyLoan?.giveBack();
      done();
    } catch (error) {
      done(error as Error);
    }
  });
}

function decodeBody(bytes: Buffer, { headers, routeOptions }: FastifyRequest, maxBytes: number): unknown {
  const type = headers['content-type'];
  const message = isProtobuf(type) && routeOptions.config.protobuf === true;
  // Better said than reported as broken JSON.
  if (!message && type?.includes('protobuf')) throw new DomainError('UnsupportedMediaType', [type.slice(0, 64)]);
  const encoding = headers['content-encoding'];
  const plain = encoding === undefined ? bytes : decodeContent(bytes, encoding, headers, maxBytes);
  if (!message) return parseJson(plain);
  return plain.length === 0 ? undefined : plain;
}

function decodeContent(bytes: Buffer, encoding: string, headers: FastifyRequest['headers'], maxBytes: number): Buffer {
  const name = encoding.trim().toLowerCase();
  if (name === '' || name === 'identity') return bytes;
  if (!isCompression(name)) throw new DomainError('UnsupportedMediaType', [encoding.slice(0, 64)]);
  const declared = headers[`x-dis-${name}-content-length`];
  return decompress({
    compression: name,
    bytes,
    declaredLength: typeof declared === 'string' ? declared : undefined,
    maxBytes,
  });
}

function isCompression(name: string): name is Compression {
  return COMPRESSIONS.some((known) => known === name);
}

/** Undefined for no bytes at all. Throws InvalidBody. */
function parseJson(body: Buffer): unknown {
  if (body.length === 0) return undefined;
  // Decoding would silently change what is not UTF-8, record keys included.
  if (!isUtf8(body)) throw new DomainError('InvalidBody', ['body', 'must be UTF-8']);
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw new DomainError('InvalidBody', ['body', 'must be JSON'], error);
  }
}
