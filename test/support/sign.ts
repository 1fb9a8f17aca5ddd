/**
 * A signer of requests, written from the description of the four families and not from the code that verifies them.
 * `habits` are what the official clients do differently from one another; without any it signs as most of them do.
 */
import { createHash, createHmac } from 'node:crypto';
import type { OutgoingHttpHeaders } from 'node:http';

/**
 * - `chained`: Java DIS SDK, .NET, older Python DIS SDK (`SDK-HMAC-SHA256 Credential=`)
 * - `direct`: v3 SDKs, Terraform (`SDK-HMAC-SHA256 Access=`)
 * - `derived`: v3 SDKs with a derived key (`V11-HMAC-SHA256 Credential=…/service`)
 * - `derived-chained`: newer Python DIS SDK (`V11-HMAC-SHA256 Credential=…/service/sdk_request`)
 */
export const SIGNATURE_FAMILIES = ['chained', 'direct', 'derived', 'derived-chained'] as const;
export type SignatureFamily = (typeof SIGNATURE_FAMILIES)[number];

export interface RequestSigner {
  readonly family: SignatureFamily;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly securityToken?: string;
  readonly region?: string;
  readonly service?: string;
  /** When it is signed; now by default. */
  readonly date?: Date;
}

export interface RequestToSign {
  readonly method: string;
  readonly url: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Buffer | undefined;
}

export interface SigningHabits {
  /** The host is signed without its port. */
  readonly portlessHost?: boolean;
  /** An empty parameter is signed as `name`, and whole pairs are sorted. */
  readonly bareEmptyNames?: boolean;
  readonly lowerCaseNames?: boolean;
  readonly doublyEncodedPath?: boolean;
  readonly collapsedSpaces?: boolean;
  /** What the derived key is made with where the region belongs. */
  readonly derivationRegion?: string;
  /** Names of the headers that are signed, `host` and `x-sdk-date` apart; all of them by default. */
  readonly signedHeaders?: readonly string[];
  /** The security token is added when all is signed. */
  readonly unsignedToken?: boolean;
  /** Adds `X-Sdk-Content-Sha256`: the sum of the body, or this text. */
  readonly contentHash?: true | string;
}

/** The headers to send: those of the request, the date, the token, and `Authorization`. */
export function signRequest(
  signer: RequestSigner,
  request: RequestToSign,
  habits: SigningHabits = {},
): Record<string, string> {
  const { accessKey, secretKey, securityToken, family } = signer;
  const date = (signer.date ?? new Date()).toISOString().replace(/[-:]|\.\d{3}/g, '');
  const sum = sha256(request.body ?? '');
  const contentHash = habits.contentHash === true ? sum : habits.contentHash;
  const headers: Record<string, string> = {
    ...textHeaders(request.headers),
    'X-Sdk-Date': date,
    ...(contentHash === undefined ? {} : { 'X-Sdk-Content-Sha256': contentHash }),
    ...(securityToken === undefined ? {} : { 'X-Security-Token': securityToken }),
  };

  const { host, hostname } = new URL(request.url);
  const all = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  all.set('host', habits.portlessHost === true ? hostname : host);
  if (habits.unsignedToken === true) all.delete('x-security-token');
  const names = ['host', 'x-sdk-date', ...(habits.signedHeaders ?? all.keys())].map((name) => name.toLowerCase());
  const signed = [...new Set(names)].sort();
  const value = (name: string) => {
    const text = (all.get(name) ?? '').trim();
    return habits.collapsedSpaces === true ? text.replaceAll(/\s+/g, ' ') : text;
  };

  const [, path = '/', query = ''] = /^\w+:\/\/[^/?]+([^?]*)\??(.*)$/.exec(request.url) ?? [];
  const canonical = [
    request.method,
    canonicalPath(path, habits),
    canonicalQuery(query, habits),
    ...signed.map((name) => `${name}:${value(name)}`),
    '',
    signed.join(';'),
    contentHash ?? sum,
  ].join('\n');

  const { region = 'any-region-1', service = 'dis' } = signer;
  const day = date.slice(0, 8);
  const end = family === 'derived' ? '' : '/sdk_request';
  const scope = family === 'direct' ? [] : [`${day}/${region}/${service}${end}`];
  const algorithm = family.startsWith('derived') ? 'V11-HMAC-SHA256' : 'SDK-HMAC-SHA256';
  const derive = () =>
    hmac(
      hmac(accessKey, secretKey),
      Buffer.from(`${day}/${habits.derivationRegion ?? region}/${service}\x01`),
    ).toString('hex');
  const draw = (secret: string) => hmac(hmac(hmac(hmac(`SDK${secret}`, day), region), service), 'sdk_request');
  const keys = {
    chained: () => draw(secretKey),
    direct: () => secretKey,
    derived: derive,
    'derived-chained': () => draw(derive()),
  };
  const text = [algorithm, date, ...scope, sha256(Buffer.from(canonical, 'latin1'))].join('\n');
  const signature = hmac(keys[family](), text).toString('hex');
  const identity = scope.length === 0 ? `Access=${accessKey}` : `Credential=${accessKey}/${scope[0]}`;
  return {
    ...headers,
    Authorization: `${algorithm} ${identity}, SignedHeaders=${signed.join(';')}, Signature=${signature}`,
  };
}

function canonicalPath(path: string, { doublyEncodedPath }: SigningHabits): string {
  const whole = path.endsWith('/') ? path : `${path}/`;
  const once = whole.split('/').map((segment) => encode(decodeURIComponent(segment)));
  return (doublyEncodedPath === true ? once.map(encode) : once).join('/');
}

function canonicalQuery(query: string, { bareEmptyNames, lowerCaseNames }: SigningHabits): string {
  const pairs = query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const [name = '', ...value] = pair.split('=');
      const plainName = decodeURIComponent(name);
      return {
        name: encode(lowerCaseNames === true ? plainName.toLowerCase() : plainName),
        value: decodeURIComponent(value.join('=')),
      };
    });
  if (bareEmptyNames === true) {
    return pairs
      .map(({ name, value }) => (value === '' ? name : `${name}=${encode(value)}`))
      .sort()
      .join('&');
  }
  return pairs
    .sort((a, b) => order(a.name, b.name) || order(a.value, b.value))
    .map(({ name, value }) => `${name}=${encode(value)}`)
    .join('&');
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function encode(text: string): string {
  return Array.from(Buffer.from(text), (byte) => {
    const character = String.fromCharCode(byte);
    return /[\w.~-]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }).join('');
}

function textHeaders(headers: OutgoingHttpHeaders = {}): Record<string, string> {
  const given = Object.entries(headers).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given.map(([name, value]) => [name, String(value)]));
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

function hmac(key: string | Buffer, data: string | Buffer): Buffer {
  return createHmac('sha256', key).update(data).digest();
}
