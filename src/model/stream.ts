/** The vocabulary of streams and partitions, shared by every layer. */

/**
 * One partition of one stream incarnation. `stream` is the catalog's stream number: it is never used again, so the
 * records of a deleted stream cannot appear under a new one of the same name. Both are whole numbers below 2^32.
 */
export interface PartitionRef {
  readonly stream: number;
  readonly partition: number;
}

export const DATA_TYPES = ['BLOB', 'JSON', 'CSV'] as const;
export type DataType = (typeof DATA_TYPES)[number];

export const STREAM_TYPES = ['COMMON', 'ADVANCED'] as const;
export type StreamType = (typeof STREAM_TYPES)[number];

/** CREATING and DELETED are part of the API; a partition of this server is ACTIVE from its first moment. */
export const PARTITION_STATUSES = ['CREATING', 'ACTIVE', 'DELETED', 'EXPIRED'] as const;
export type PartitionStatus = (typeof PARTITION_STATUSES)[number];

/** Stream, app and task names: letters, digits, `_` and `-`. The length is a limit of its own. */
export const NAME_PATTERN = '^[A-Za-z0-9_-]+$';

export interface Partition {
  readonly ref: PartitionRef;
  /** `shardId-%010d` of `ref.partition`. */
  readonly id: string;
  readonly status: PartitionStatus;
  /** Inclusive ends of the range of key hashes, within 0 … 2^63-1. */
  readonly hashLow: bigint;
  readonly hashHigh: bigint;
  /** Ids of the partitions that this one came from; empty for one that came with its stream. */
  readonly parents: readonly string[];
}

export interface Tag {
  readonly key: string;
  readonly value: string;
}

export interface Stream {
  /** The catalog's number, see PartitionRef. */
  readonly number: number;
  /** 19 letters and digits. */
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
  readonly type: StreamType;
  readonly dataType: DataType;
  /** Avro schema text of JSON and CSV records. */
  readonly dataSchema: string | undefined;
  readonly csvDelimiter: string | undefined;
  readonly compressionFormat: string | undefined;
  readonly retentionHours: number;
  readonly autoScale: { readonly enabled: boolean; readonly min: number | undefined; readonly max: number | undefined };
  readonly tags: readonly Tag[];
  readonly sysTags: readonly Tag[];
  readonly createdAt: number;
  readonly updatedAt: number;
  /** In ascending order of partition number. */
  readonly partitions: readonly Partition[];
}
