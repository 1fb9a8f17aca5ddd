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
