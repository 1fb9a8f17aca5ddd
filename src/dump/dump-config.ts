/** What the dump engine is told once: its parts of the outside world and the settings that hold for every task. */
import type { Catalog } from '../catalog/catalog.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Stream } from '../model/stream.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import type { BufferPool } from '../platform/buffer-pool.ts';
import type { Clock } from '../platform/clock.ts';
import type { Gate } from '../platform/gate.ts';
import type { Random } from '../platform/random.ts';
import type { RecordLog } from '../recordlog/record-log.ts';
import type { Backoff } from './backoff.ts';
import type { Converters } from './convert/conversion.ts';

/** The part of a pino logger that the engine writes to. */
export interface DumpLogger {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

export interface DumpConfig {
  /** Cuts written at the same time; each may be several files. */
  readonly uploads: number;
  /** Bytes of records at which a cut ends where `deliver_size_interval` does not end it earlier. */
  readonly maxFileBytes: number;
  /** Pauses between two tries of a file. */
  readonly backoff: Backoff;
  /** Payload bytes of the largest record: bounds what unmeasured records can hold. */
  readonly maxRecordBytes: number;
}

/** The streams as they are now; undefined for one that is gone. */
export interface Streams {
  byNumber(number: number): Stream | undefined;
}

export interface DumpParts {
  readonly catalog: Catalog;
  readonly cluster: Cluster;
  readonly streams: Streams;
  readonly recordLog: RecordLog;
  readonly objects: ObjectStore;
  /** Where records are read to on their way into a file. */
  readonly buffers: BufferPool;
  /** Chunks of files compressed at a time, in the threads that the disk needs too. */
  readonly compressing: Gate;
  /** Threads that look into records. */
  readonly converters: Converters;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: DumpLogger;
  readonly config: DumpConfig;
}
