/** The headers that a signed request carries: the direct form (`SDK-HMAC-SHA256 Access=`), the agreed one of its family. */
import { createHmac, hash } from 'node:crypto';
import {
  canonicalHeaders,
  canonicalPath,
  canonicalQuery,
  canonicalRequest,
  readQuery,
} from '../auth/signature/canonical-request.ts';

export interface AccessKey {
  readonly accessKey: string;
  readonly secretKey: string;
}

export interface RequestToSign {
  readonly method: string;
  readonly url: URL;
  readonly body: Buffer | undefined;
}

const ALGORITHM = 'SDK-HMAC-SHA256';
const SIGNED_HEADERS = ['host', 'x-sdk-date'];

/** `now` in ms: a server takes the signature for a quarter of an hour. */
export function signRequest(
  { accessKey, secretKey }: AccessKey,
  { method, url, body }: RequestToSign,
  now: number,
): Record<string, string> {
  const date = new Date(now).toISOString().replace(/[-:]|\.\d{3}/g, '');
  const canonical = canonicalRequest({
    method,
    path: canonicalPath(url.pathname),
    query: canonicalQuery(readQuery(url.search.slice(1))),
    headers: canonicalHeaders(SIGNED_HEADERS, { host: url.host, 'x-sdk-date': date }),
    signedHeaders: SIGNED_HEADERS,
    bodyHash: hash('sha256', body ?? Buffer.alloc(0), 'hex'),
  });
  const text = `${ALGORITHM}\n${date}\n${hash('sha256', Buffer.from(canonical, 'latin1'), 'hex')}`;
  const signature = createHmac('sha256', secretKey).update(text, 'latin1').digest('hex');
  return {
    'X-Sdk-Date': date,
    Authorization: `${ALGORITHM} Access=${accessKey}, SignedHeaders=${SIGNED_HEADERS.join(';')}, Signature=${signature}`,
  };
}
