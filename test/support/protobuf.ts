/** The messages of DIS in Protocol Buffers, by a library: what tests and benchmarks hold our own reading and writing against. */
import protobuf from 'protobufjs';

const { root } = protobuf.parse(`
  syntax = "proto2";
  message PutRecordsRequest {
    optional string streamName = 1;
    repeated PutRecordsRequestEntry records = 2;
    optional string streamId = 30;
  }
  message PutRecordsRequestEntry {
    optional bytes data = 3;
    optional string explicitHashKey = 4;
    optional string partitionKey = 5;
    optional string partitionId = 6;
    optional ExtendedInfo extendedInfo = 7;
    optional int64 timestamp = 29;
  }
  message ExtendedInfo {
    required string fileName = 8;
    required string deliverDataId = 9;
    optional bool endFlag = 10 [default = false];
    required int64 seqNum = 11;
  }
  message PutRecordsResult {
    required int32 failedRecordCount = 21;
    repeated PutRecordsResultEntry records = 22;
  }
  message PutRecordsResultEntry {
    optional string shardId = 23;
    optional string sequenceNumber = 24;
    optional string errorCode = 25;
    optional string errorMessage = 26;
  }
  message GetRecordsResult {
    required string nextShardIterator = 14;
    repeated Record records = 16;
  }
  message Record {
    optional string partitionKey = 17;
    required string sequenceNumber = 18;
    optional bytes data = 19;
    optional int64 timestamp = 27;
    optional string timestampType = 28;
  }
`);

export interface ProtobufRecord {
  readonly data?: Uint8Array;
  readonly explicitHashKey?: string;
  readonly partitionKey?: string;
  readonly partitionId?: string;
  readonly extendedInfo?: { readonly fileName: string; readonly deliverDataId: string; readonly seqNum: number };
  readonly timestamp?: number;
}

export interface ProtobufPutRequest {
  readonly streamName?: string;
  readonly streamId?: string;
  readonly records: readonly ProtobufRecord[];
}

/** Members that the message did not have are not there. */
export interface ProtobufPutResult {
  readonly failedRecordCount: number;
  readonly records: readonly {
    readonly shardId?: string;
    readonly sequenceNumber?: string;
    readonly errorCode?: string;
    readonly errorMessage?: string;
  }[];
}

export interface ProtobufGetResult {
  readonly nextShardIterator: string;
  readonly records: readonly {
    readonly partitionKey?: string;
    readonly sequenceNumber: string;
    readonly data: Buffer;
    readonly timestamp: number;
    readonly timestampType: string;
  }[];
}

export function encodePutRequest(request: ProtobufPutRequest): Buffer {
  return Buffer.from(root.lookupType('PutRecordsRequest').encode(request).finish());
}

/** Throws for bytes that are none, or lack what the message requires. */
export function decodePutResult(bytes: Uint8Array): ProtobufPutResult {
  return decode('PutRecordsResult', bytes) as ProtobufPutResult;
}

/** Throws for bytes that are none, or lack what the message requires. */
export function decodeGetResult(bytes: Uint8Array): ProtobufGetResult {
  return decode('GetRecordsResult', bytes) as ProtobufGetResult;
}

function decode(name: string, bytes: Uint8Array): unknown {
  const type = root.lookupType(name);
  return type.toObject(type.decode(bytes), { longs: Number, arrays: true });
}
