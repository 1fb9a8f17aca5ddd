/**
 * What a load run sends, described by data so that it can be told to the load process, and the requests made from it.
 * All dialects carry the same records: DIS's own JSON and protobuf, and Kinesis' JSON for the peer.
 */
import { randomBytes } from 'node:crypto';
import { encodePutRequest } from '../../test/support/protobuf.ts';
import { signRequest, type RequestSigner } from '../../test/support/sign.ts';
import type { Answer } from './connection.ts';

export type Dialect = 'dis' | 'dis-protobuf' | 'kinesis';

export interface PutTraffic {
  readonly kind: 'put';
  readonly dialect: Dialect;
  readonly path: string;
  readonly stream: string;
  readonly token?: string;
  /** Signs JSON puts in place of the token: once for all, which is good for a quarter of an hour. */
  readonly signer?: RequestSigner;
  /** Records of one request. */
  readonly records: number;
  readonly payloadBytes: number;
  /** Deals the records evenly to this many partitions; absent: by the hash of their keys. */
  readonly partitions?: number;
}

export interface GetTraffic {
  readonly kind: 'get';
  readonly dialect: Dialect;
  readonly path: string;
  readonly token?: string;
  /** Where connections begin, in turn, and begin again when there is nothing more. */
  readonly cursors: readonly string[];
  /** Records of one answer: every answer but an empty one has exactly these. */
  readonly records: number;
  readonly payloadBytes: number;
}

export type Traffic = PutTraffic | GetTraffic;

/** The requests of one connection. */
export interface Conversation {
  next(): Buffer;
  /** Records that an answer carried or stored; throws when it is not what it must be. */
  take(answer: Answer): number;
}

/** What the answer to a put has near its beginning when every record was stored. */
const ALL_STORED: Readonly<Record<Dialect, string | Buffer>> = {
  dis: '"failed_record_count":0,',
  // failedRecordCount=21, a varint of 0.
  'dis-protobuf': Buffer.from([0xa8, 0x01, 0x00]),
  kinesis: '"FailedRecordCount":0,',
};
const NEXT_CURSOR: Readonly<Record<Dialect, RegExp>> = {
  dis: /"next_partition_cursor":"([^"]+)"/,
  // nextShardIterator=14 at the end of the message, behind the last record.
  'dis-protobuf': /CreateTimer[^]([\w-]+)$/,
  kinesis: /"NextShardIterator":"([^"]+)"/,
};
const PROTOBUF_TYPE = 'Content-Type: application/x-protobuf; charset=utf-8';

const DIFFERENT_BODIES = 8;
const DIFFERENT_KEYS = 10_000;
const LARGEST_HASH = 2n ** 63n - 1n;
/** kinesalite wants to see a signature, and does not verify it. */
const SIGNATURE = [
  'Authorization: AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/kinesis/aws4_request, SignedHeaders=host, Signature=a',
  'X-Amz-Date: 20260101T000000Z',
];

/** A maker of conversations, one for each connection of a run. */
export function conversations(traffic: Traffic): (connection: number) => Conversation {
  if (traffic.kind === 'get') return (connection) => getConversation(traffic, connection);
  const requests = putRequests(traffic);
  return (connection) => putConversation(traffic, requests, connection);
}

function putConversation(traffic: PutTraffic, requests: readonly Buffer[], connection: number): Conversation {
  let turn = connection;
  const stored = ALL_STORED[traffic.dialect];
  return {
    next: () => requests[turn++ % requests.length]!,
    take: (answer) => {
      if (answer.status !== 200 || !answer.head.includes(stored)) throw unexpected(answer);
      return traffic.records;
    },
  };
}

function getConversation(traffic: GetTraffic, connection: number): Conversation {
  const begin = traffic.cursors[connection % traffic.cursors.length]!;
  const member = NEXT_CURSOR[traffic.dialect];
  const payloadBytes = traffic.dialect === 'dis-protobuf' ? traffic.payloadBytes : (traffic.payloadBytes * 4) / 3;
  const fullBytes = traffic.records * Math.ceil(payloadBytes);
  let cursor = begin;
  return {
    next: () => getRequest(traffic, cursor),
    take: (answer) => {
      if (answer.status !== 200) throw unexpected(answer);
      if (answer.bodyBytes >= fullBytes) {
        const found = member.exec(answer.tail.toString('latin1')) ?? member.exec(answer.head.toString('latin1'));
        if (found === null) throw unexpected(answer);
        cursor = found[1]!;
        return traffic.records;
      }
      if (cursor === begin || answer.bodyBytes > 1024) throw unexpected(answer);
      cursor = begin;
      return 0;
    },
  };
}

function getRequest({ dialect, path, token, records }: GetTraffic, cursor: string): Buffer {
  if (dialect === 'kinesis') {
    return post(path, kinesisHeaders('GetRecords'), JSON.stringify({ ShardIterator: cursor, Limit: records }));
  }
  const lines = [
    `GET ${path}?partition-cursor=${cursor}&limit=${records} HTTP/1.1`,
    'Host: bench',
    ...(dialect === 'dis-protobuf' ? [PROTOBUF_TYPE] : []),
    ...tokenHeader(token),
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`);
}

function putRequests(traffic: PutTraffic): Buffer[] {
  const { path, token } = traffic;
  const makers: Readonly<Record<Dialect, () => Buffer>> = {
    dis: () => jsonPut(traffic),
    'dis-protobuf': () => post(path, [PROTOBUF_TYPE, ...tokenHeader(token)], protobufPut(traffic)),
    kinesis: () => post(path, kinesisHeaders('PutRecords'), JSON.stringify(kinesisPut(traffic))),
  };
  return Array.from({ length: DIFFERENT_BODIES }, makers[traffic.dialect]);
}

function jsonPut(traffic: PutTraffic): Buffer {
  const { path, signer, token } = traffic;
  const body = JSON.stringify(disPut(traffic));
  if (signer === undefined) return post(path, ['Content-Type: application/json', ...tokenHeader(token)], body);
  const headers = { 'Content-Type': 'application/json' };
  const signed = signRequest(signer, { method: 'POST', url: `http://bench${path}`, headers, body });
  return post(
    path,
    Object.entries(signed).map(([name, value]) => `${name}: ${value}`),
    body,
  );
}

function protobufPut(traffic: PutTraffic): Buffer {
  const { stream_name, records } = disPut(traffic);
  return encodePutRequest({
    streamName: stream_name,
    records: records.map(({ data, partition_key, ...rest }) => ({
      data: Buffer.from(data, 'base64'),
      partitionKey: partition_key,
      ...('explicit_hash_key' in rest ? { explicitHashKey: rest.explicit_hash_key } : {}),
    })),
  });
}

function disPut({ stream, records, payloadBytes, partitions }: PutTraffic) {
  const width = partitions === undefined ? undefined : LARGEST_HASH / BigInt(partitions);
  return {
    stream_name: stream,
    records: Array.from({ length: records }, (_, index) => ({
      data: randomBytes(payloadBytes).toString('base64'),
      partition_key: randomKey(),
      ...(width === undefined ? {} : { explicit_hash_key: String(width * BigInt(index % partitions!)) }),
    })),
  };
}

function kinesisPut({ stream, records, payloadBytes }: PutTraffic) {
  return {
    StreamName: stream,
    Records: Array.from({ length: records }, () => ({
      Data: randomBytes(payloadBytes).toString('base64'),
      PartitionKey: randomKey(),
    })),
  };
}

function randomKey(): string {
  return `device-${Math.floor(Math.random() * DIFFERENT_KEYS)}`;
}

function tokenHeader(token: string | undefined): string[] {
  return token === undefined ? [] : [`X-Auth-Token: ${token}`];
}

export function kinesisHeaders(operation: string): string[] {
  return ['Content-Type: application/x-amz-json-1.1', `X-Amz-Target: Kinesis_20131202.${operation}`, ...SIGNATURE];
}

export function post(path: string, headers: readonly string[], body: string | Buffer): Buffer {
  const lines = [`POST ${path} HTTP/1.1`, 'Host: bench', `Content-Length: ${Buffer.byteLength(body)}`, ...headers];
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), Buffer.from(body)]);
}

function unexpected({ status, head, bodyBytes }: Answer): Error {
  return new Error(`an unexpected answer: ${status}, ${bodyBytes} bytes: ${head.toString('utf8')}`);
}
