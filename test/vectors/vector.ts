/**
 * Requests that clients of others signed, as they came over the wire. Each file is made by the script of its name, with the
 * client itself: nothing in them comes from our own signer.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { IncomingHttpHeaders } from 'node:http';

export interface SignatureVector {
  readonly name: string;
  readonly method: string;
  /** Path and query of the request line. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  /** Base64. */
  readonly body: string;
}

export interface VectorFile {
  /** Package and version. */
  readonly client: string;
  readonly accessKey: string;
  /** Of the requests that have an `X-Security-Token`. */
  readonly temporaryAccessKey: string;
  readonly securityToken: string;
  /** Of both keys. */
  readonly secretKey: string;
  readonly projectId: string;
  /** When all of them were signed, in ms. */
  readonly now: number;
  readonly vectors: readonly SignatureVector[];
}

export const VECTOR_FILES = ['node-core.json', 'python-dis.json'] as const;

export function readVectors(name: (typeof VECTOR_FILES)[number]): VectorFile {
  return JSON.parse(readFileSync(join(import.meta.dirname, name), 'utf8')) as VectorFile;
}
