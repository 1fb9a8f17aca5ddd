/**
 * The forms in which clients sign one and the same request: the agreed one first, then what some of them make of it. A
 * signature is good when it fits one of them. They are few and fixed, since a wrong signature costs them all; what they
 * leave open to whoever changes a request on its way is listed in tampering.test.ts:
 *
 *  - The Python DIS SDK, and others, sign the host without its port and send it with its port.
 *  - The Python DIS SDK signs an empty parameter as `name` and sends it as `name=`.
 *  - The v3 SDK for Go signs the names of parameters in lower case. Only `start_partitionId` has capitals.
 *  - The Java DIS SDK encodes the path twice, and signs each run of white space within a header as one space.
 */
import type { IncomingHttpHeaders } from 'node:http';
import {
  canonicalHeaders,
  canonicalPath,
  canonicalQuery,
  canonicalQueryWithBareNames,
  canonicalRequest,
  doublyEncodedPath,
  readQuery,
  type CanonicalParts,
  type QueryPair,
} from './canonical-request.ts';

export interface SignedParts {
  readonly method: string;
  /** Path and query as they stand in the request line. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly signedHeaders: readonly string[];
  /** What may stand for the body, in this order. */
  readonly bodyHashes: readonly string[];
}

type Form = Omit<CanonicalParts, 'bodyHash'>;

/** The agreed one first; no text twice; ten at most. */
export function* canonicalRequests(parts: SignedParts): Generator<string> {
  const { method, target, headers, signedHeaders, bodyHashes } = parts;
  const mark = target.indexOf('?');
  const path = mark === -1 ? target : target.slice(0, mark);
  const pairs = readQuery(mark === -1 ? '' : target.slice(mark + 1));
  const agreed: Form = {
    method,
    path: canonicalPath(path),
    query: canonicalQuery(pairs),
    headers: canonicalHeaders(signedHeaders, headers),
    signedHeaders,
  };
  const seen: string[] = [];
  for (const bodyHash of bodyHashes) {
    const text = canonicalRequest({ ...agreed, bodyHash });
    yield text;
    seen.push(text);
  }
  for (const form of otherForms(agreed, path, pairs, headers)) {
    for (const bodyHash of bodyHashes) {
      const text = canonicalRequest({ ...form, bodyHash });
      if (seen.includes(text)) continue;
      yield text;
      seen.push(text);
    }
  }
}

function otherForms(agreed: Form, path: string, pairs: readonly QueryPair[], headers: IncomingHttpHeaders): Form[] {
  const host = headers.host?.replace(/:\d+$/, '');
  const withoutPort = { ...agreed, headers: canonicalHeaders(agreed.signedHeaders, { ...headers, host }) };
  return [
    withoutPort,
    { ...withoutPort, query: canonicalQueryWithBareNames(pairs) },
    { ...agreed, query: canonicalQuery(inLowerCase(pairs)) },
    { ...agreed, path: doublyEncodedPath(path), headers: agreed.headers.replace(/[ \t]+/g, ' ') },
  ];
}

/**
 * Not of any name: then `Limit`, which no operation reads, could take the place of a signed `limit` on its way here.
 */
function inLowerCase(pairs: readonly QueryPair[]): QueryPair[] {
  return pairs.map((pair) => (pair.name === 'start_partitionId' ? { ...pair, name: 'start_partitionid' } : pair));
}
