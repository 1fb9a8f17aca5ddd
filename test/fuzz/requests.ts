/** Requests made from an operation of the API description: from proper ones to those that break every rule. */
import { zstdCompressSync } from 'node:zlib';
import type { Operation, Parameter } from '../support/api-document.ts';
import { toJson, Verbatim, type Values } from './values.ts';

export interface FuzzRequest {
  readonly operation: Operation;
  readonly method: string;
  /** Path and query as they are sent. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
  /** Nothing was spoilt on purpose. */
  readonly proper: boolean;
}

export interface RequestOptions {
  readonly token: string;
  readonly projectId: string;
}

const JSON_TYPE = 'application/json; charset=utf-8';
const PROTOBUF_TYPE = 'application/x-protobuf; charset=utf-8';
const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD'];
const ODD_TYPES = ['', 'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', 'x', PROTOBUF_TYPE];
const ENCODINGS = ['lz4', 'snappy', 'zstd', 'gzip', 'br', 'identity', '', 'lz4, zstd', 'LZ4'];
/** Not: connection headers, which would only end the connection. */
const ODD_HEADERS: readonly (readonly [string, string])[] = [
  ['Accept', 'application/xml'],
  ['Accept-Encoding', 'lz4'],
  ['X-Project-Id', 'x'],
  ['X-Sdk-Date', '20260101T000000Z'],
  ['X-Request-Id', 'mine'],
  ['X-Subject-Token', 'x'],
  ['X-Security-Token', ''],
  ['Range', 'bytes=0-1'],
  ['If-None-Match', '*'],
  ['X-HTTP-Method-Override', 'DELETE'],
  ['Expect', '100-continue'],
  ['X-Dis-Lz4-Content-Length', '99999999999'],
  ['X-Dis-Zstd-Content-Length', '-1'],
  ['Cookie', 'a=b'],
  ['Content-Language', 'ÿ'],
];
const ODD_AUTHORIZATIONS = [
  '',
  'Bearer x',
  'SDK-HMAC-SHA256 Access=x, SignedHeaders=host, Signature=00',
  `SDK-HMAC-SHA256 Credential=AK/20260101/r/dis/sdk_request, SignedHeaders=host;x-sdk-date, Signature=${'0'.repeat(64)}`,
  'V11-HMAC-SHA256 Credential=AK/20260101/r/dis, SignedHeaders=, Signature=zz',
  'SDK-HMAC-SHA256 ,,,=,=,',
];

/** Of ten requests about six are proper, two almost, and two are not. */
export function makeRequest(values: Values, operation: Operation, options: RequestOptions): FuzzRequest {
  const dice = values.whole(1, 100);
  const spoil = dice > 80 ? 'badly' : dice > 60 ? 'lightly' : undefined;
  const headers: Record<string, string> = operation.security.length === 0 ? {} : { 'X-Auth-Token': options.token };
  const parts = { path: false, query: false, body: false, headers: false };
  if (spoil !== undefined) {
    const names = Object.keys(parts) as (keyof typeof parts)[];
    parts[operation.body !== undefined && values.chance(0.5) ? 'body' : values.oneOf(names)] = true;
    if (spoil === 'badly') parts[values.oneOf(names)] = true;
  }

  const path = makePath(values, operation, options, parts.path);
  const query = makeQuery(values, operation.parameters, parts.query);
  for (const { name, schema, required } of operation.parameters.filter((parameter) => parameter.in === 'header')) {
    if (required || values.chance(0.5)) headers[name] = headerText(values.fitting(schema, name));
  }
  let body = makeBody(values, operation, headers, parts.body ? spoil : undefined);
  if (parts.headers) body = spoilHeaders(values, headers, body);
  return {
    operation,
    method: parts.path && values.chance(0.1) ? values.oneOf(METHODS) : operation.method,
    target: query === '' ? path : `${path}?${query}`,
    headers,
    body,
    proper: spoil === undefined,
  };
}

function makePath(
  values: Values,
  { path, parameters }: Operation,
  { projectId }: RequestOptions,
  spoil: boolean,
): string {
  const spoilt = spoil ? values.oneOf([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)) : undefined;
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => {
    if (name === spoilt) return hostileText(values, true);
    if (name === 'project_id') return projectId;
    const schema = parameters.find((parameter) => parameter.in === 'path' && parameter.name === name)?.schema ?? {};
    return encodeURIComponent(textOf(values.fitting(schema, name)));
  });
  return values.chance(0.2) ? `${filled}/` : filled;
}

function makeQuery(values: Values, parameters: readonly Parameter[], spoil: boolean): string {
  const pairs = parameters
    .filter((parameter) => parameter.in === 'query' && (parameter.required || values.chance(0.6)))
    .map(({ name, schema }) => `${name}=${encodeURIComponent(textOf(values.fitting(schema, name)))}`);
  if (spoil) {
    const name = values.oneOf([...parameters.map((parameter) => parameter.name), 'unknown', '__proto__', '', '%zz']);
    const pair = values.oneOf([
      `${name}=${hostileText(values, false)}`,
      name,
      `${name}=`,
      `=${name}`,
      '&&',
      '%',
      '+',
      '?',
    ]);
    if (values.chance(0.3)) pairs.length = 0;
    pairs.splice(values.whole(0, pairs.length), 0, pair);
    if (values.chance(0.3)) pairs.push(...pairs);
  }
  return pairs.join('&') + (values.chance(0.1) ? '&' : '');
}

function makeBody(
  values: Values,
  { body, answers }: Operation,
  headers: Record<string, string>,
  spoil: 'lightly' | 'badly' | undefined,
): Buffer | undefined {
  const speaksProtobuf = (content: object | undefined) =>
    Object.keys(content ?? {}).some((type) => type.includes('protobuf'));
  if (body === undefined) {
    if (speaksProtobuf(answers.get(200)?.content) && values.chance(0.2)) headers['Content-Type'] = PROTOBUF_TYPE;
    // Bodies that nobody asked for.
    return spoil !== undefined && values.chance(0.5) ? Buffer.from(toJson(values.hostile())) : undefined;
  }
  if (!body.required && values.chance(0.3)) return undefined;
  headers['Content-Type'] = JSON_TYPE;
  const proper = values.fitting(body.content['application/json'] ?? {}, '');
  if (speaksProtobuf(body.content) && values.chance(0.2)) {
    headers['Content-Type'] = PROTOBUF_TYPE;
    const message = protobufPut(proper);
    return spoil === undefined ? message : spoiltBytes(values, message);
  }
  if (spoil === undefined) return Buffer.from(toJson(proper));
  if (spoil === 'lightly' || values.chance(0.6)) return Buffer.from(toJson(values.spoilt(proper)));
  return spoiltBytes(values, Buffer.from(toJson(proper)));
}

/** Breaks what travels beside the body; the body too, where a header says what it is. */
function spoilHeaders(values: Values, headers: Record<string, string>, body: Buffer | undefined): Buffer | undefined {
  switch (values.whole(1, 5)) {
    case 1:
      headers['Content-Type'] = values.oneOf(ODD_TYPES);
      return body;
    case 2: {
      const encoding = values.oneOf(ENCODINGS);
      headers['Content-Encoding'] = encoding;
      if (body === undefined) return body;
      const compressed = encoding === 'zstd' ? zstdCompressSync(body) : body;
      if (values.chance(0.5))
        headers['x-dis-lz4-content-length'] = values.oneOf([String(body.length), '0', '999999999', 'x']);
      if (values.chance(0.3)) headers['x-dis-zstd-content-length'] = values.oneOf([String(body.length), '1']);
      return values.chance(0.4) ? compressed : spoiltBytes(values, compressed);
    }
    case 3:
      delete headers['X-Auth-Token'];
      if (values.chance(0.7)) headers['Authorization'] = values.oneOf(ODD_AUTHORIZATIONS);
      if (values.chance(0.5)) headers['X-Sdk-Date'] = values.oneOf(['', 'x', '20260101T000000Z', '99999999T999999Z']);
      return body;
    case 4:
      headers['X-Auth-Token'] = values.oneOf(['', 'x', 'x'.repeat(32_768), '../', 'ÿÿ']);
      return body;
    default: {
      const [name, value] = values.oneOf(ODD_HEADERS);
      if (name !== 'Expect' || body !== undefined) headers[name] = value;
      return body;
    }
  }
}

function spoiltBytes(values: Values, bytes: Buffer): Buffer {
  switch (values.whole(1, 6)) {
    case 1:
      return bytes.subarray(0, values.whole(0, bytes.length));
    case 2:
      return Buffer.concat([bytes, values.bytes(values.whole(1, 20))]);
    case 3:
      return values.bytes(values.whole(0, 300));
    case 4:
      return Buffer.from(toJson(values.hostile()));
    case 5:
      return Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytes]);
    default: {
      const copy = Buffer.from(bytes);
      for (let left = values.whole(1, 4); left > 0 && copy.length > 0; left -= 1) {
        copy[values.whole(0, copy.length - 1)] = values.whole(0, 255);
      }
      return copy;
    }
  }
}

/** The records of a JSON put as the Java client's message: the wire form written out, field by field. */
function protobufPut(body: unknown): Buffer {
  const { stream_name, stream_id, records } = body as Record<string, unknown>;
  const entries = Array.isArray(records) ? (records as Record<string, unknown>[]) : [];
  return Buffer.concat([
    field(1, stream_name ?? ''),
    ...entries.map((record) =>
      field(
        2,
        Buffer.concat([
          field(3, Buffer.from(textOf(record['data']), 'base64')),
          field(4, record['explicit_hash_key']),
          field(5, record['partition_key']),
          field(6, record['partition_id']),
        ]),
      ),
    ),
    field(30, stream_id),
  ]);
}

/** A field of bytes; nothing for what is no text and no bytes. */
function field(number: number, value: unknown): Buffer {
  if (typeof value !== 'string' && !Buffer.isBuffer(value)) return Buffer.alloc(0);
  const bytes = Buffer.from(value as string);
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) + 128);
  return Buffer.from([...bytes, value]);
}

/** For a place in a URL. Node's client refuses to send what no URL can hold, so that is written in percent signs. */
function hostileText(values: Values, inPath: boolean): string {
  const raw = values.oneOf([
    '%',
    '%zz',
    '%00',
    '%ED%A0%80',
    '%FF',
    '..',
    '%2F',
    '%2e%2e%2f%2e%2e',
    ';',
    ':',
    '%20',
    '+',
  ]);
  if (values.chance(0.3)) return raw;
  const text = textOf(values.hostile()).replace(/[\ud800-\udfff]/g, '');
  // Longer than any line that a server reads.
  const bounded = encodeURIComponent(text).slice(0, 20_000).replace(/%.?$/, '');
  return inPath && bounded === '' ? 'x' : bounded;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : value instanceof Verbatim ? value.text : toJson(value);
}

function headerText(value: unknown): string {
  return textOf(value).replace(/[^\x20-\x7e]/g, '?');
}
