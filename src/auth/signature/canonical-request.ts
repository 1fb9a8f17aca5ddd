/**
 * The text that a signature covers: method, path, query, headers and body in one agreed form, a line each. Everything is
 * pure; where clients disagree about the form, variants.ts says which forms are tried.
 *
 * Texts here are of bytes as they came over the wire, one character a byte (Latin-1), as Node hands headers over.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { DomainError } from '../../model/errors.ts';

export interface CanonicalParts {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  /** A line for each signed header, with its line feed. */
  readonly headers: string;
  readonly signedHeaders: readonly string[];
  /** Lower-case hex SHA-256 of the body, or what `X-Sdk-Content-Sha256` says instead. */
  readonly bodyHash: string;
}

export function canonicalRequest({ method, path, query, headers, signedHeaders, bodyHash }: CanonicalParts): string {
  return `${method}\n${path}\n${query}\n${headers}\n${signedHeaders.join(';')}\n${bodyHash}`;
}

/** RFC 3986's unreserved characters: what stands for itself. */
const UNRESERVED = /^[A-Za-z0-9._~-]*$/;
const UNRESERVED_PATH = /^[A-Za-z0-9._~/-]*$/;

/** Each segment encoded once, and a slash at the end whether or not the request line has one. */
export function canonicalPath(path: string): string {
  const whole = path.endsWith('/') ? path : `${path}/`;
  if (UNRESERVED_PATH.test(whole)) return whole;
  return encodeSegments(whole.split('/').map(decode));
}

/** Encoded once more, as AWS has it and the Java DIS SDK inherited it. */
export function doublyEncodedPath(path: string): string {
  const once = canonicalPath(path);
  return once.includes('%') ? encodeSegments(once.split('/')) : once;
}

export interface QueryPair {
  /** Both encoded. */
  readonly name: string;
  readonly value: string;
  readonly plainValue: string;
}

/** Far above what any operation has, and few enough to be sorted for a signature that may be wrong. */
const MAX_PAIRS = 1000;

/** Reads the part behind the `?`: an empty pair is nothing, a plus sign is a plus sign. Throws InvalidRequest. */
export function readQuery(query: string): QueryPair[] {
  const pairs: QueryPair[] = [];
  for (const pair of query.split('&')) {
    if (pair === '') continue;
    if (pairs.length === MAX_PAIRS)
      throw new DomainError('InvalidRequest', ['query', `more than ${MAX_PAIRS} parameters`]);
    const equals = pair.indexOf('=');
    const name = equals === -1 ? pair : pair.slice(0, equals);
    const plainValue = equals === -1 ? '' : decode(pair.slice(equals + 1));
    pairs.push({ name: encode(decode(name)), value: encode(plainValue), plainValue });
  }
  return pairs;
}

/** Sorted by name, and by plain value where a name comes more than once. */
export function canonicalQuery(pairs: readonly QueryPair[]): string {
  return [...pairs]
    .sort((a, b) => compare(a.name, b.name) || compare(a.plainValue, b.plainValue))
    .map(({ name, value }) => `${name}=${value}`)
    .join('&');
}

/** As the Python DIS SDK has it: an empty value leaves out its `=`, and whole pairs are sorted. */
export function canonicalQueryWithBareNames(pairs: readonly QueryPair[]): string {
  return pairs
    .map(({ name, value }) => (value === '' ? name : `${name}=${value}`))
    .sort(compare)
    .join('&');
}

/** The signed headers in the order of their list. Each of them must be there: see missingHeader. */
export function canonicalHeaders(signedHeaders: readonly string[], headers: IncomingHttpHeaders): string {
  let text = '';
  for (const name of signedHeaders) text += `${name}:${headerValue(headers, name) ?? ''}\n`;
  return text;
}

/** The first signed header that the request does not have. */
export function missingHeader(signedHeaders: readonly string[], headers: IncomingHttpHeaders): string | undefined {
  return signedHeaders.find((name) => headerValue(headers, name) === undefined);
}

/** Never what an object has by nature, such as `constructor`. */
export function headerValue(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = Object.hasOwn(headers, name) ? headers[name] : undefined;
  return Array.isArray(value) ? value.join(', ') : value;
}

function encodeSegments(segments: readonly string[]): string {
  return segments.map(encode).join('/');
}

/** As http/query.ts decodes: what the operation is going to read is what is verified. */
function decode(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function encode(text: string): string {
  if (UNRESERVED.test(text)) return text;
  return encodeURIComponent(text).replace(/[!'()*]/g, (character) =>
    `%${character.charCodeAt(0).toString(16)}`.toUpperCase(),
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
