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
  /** Inclusive ends of the range of key hashes, within 0 … 2^63-1; both -1 for one that is not ACTIVE. */
  readonly hashLow: bigint;
  readonly hashHigh: bigint;
  /** Ids of the partitions that this one came from; empty for one that came with its stream. */
  readonly parents: readonly string[];
  /** When it became DELETED, in ms: it is readable for the stream's retention from then on. Undefined while ACTIVE. */
  readonly closedAt: number | undefined;
}

/** What another account may be allowed to do with a stream. */
export const SHARED_ACTIONS = ['putRecords', 'getRecords', 'getStreamInfo'] as const;
export type SharedAction = (typeof SHARED_ACTIONS)[number];

/** One permission entry of a stream: see streams/stream-access.ts for how entries are weighed. */
export interface StreamPolicy {
  /** `*`, or an account's id followed by `.*` or by `.` and a user's id. */
  readonly principal: string;
  /** As it was given: `*`, `domain`, `domain.*` or `domain.user`. */
  readonly principalName: string;
  readonly action: SharedAction;
  readonly effect: 'accept' | 'deny';
}

/** One change of a stream's number of partitions, or a failed try at it. */
export interface ScalingEvent {
  /** In ms. */
  readonly at: number;
  readonly from: number;
  readonly to: number;
  readonly succeeded: boolean;
  readonly automatic: boolean;
  /** Empty for a success. */
  readonly message: string;
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
  /** In the order in which they were added. */
  readonly policies: readonly StreamPolicy[];
  /** The newest last; those of the last seven days. */
  readonly scalings: readonly ScalingEvent[];
}
