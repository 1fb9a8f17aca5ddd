/** Opens the record log that the configuration names. */
import type { Config } from './config.ts';
import type { PartitionRef } from './model/stream.ts';
import { systemClock as clock } from './platform/clock.ts';
import { nodeFileSystem as fileSystem } from './platform/file-system.ts';
import { openLocalLog } from './recordlog/local/local-log.ts';
import type { RecordLog } from './recordlog/record-log.ts';

export interface OpenRecordLogOptions {
  readonly config: Pick<Config, 'kafka' | 'record_log' | 'limits'>;
  /** Folder of the embedded log. */
  readonly directory: string;
  /** All partitions of the catalog. */
  readonly partitions: readonly PartitionRef[];
  /** Numbers of streams whose records may still be there. */
  readonly deletedStreams: readonly number[];
  /** Told how many ms each group of appends took to become durable. */
  readonly onSynced: (ms: number) => void;
  /** What an operator should know. */
  readonly report: (level: 'warn' | 'error', message: string, error?: unknown) => void;
}

export async function openRecordLog(options: OpenRecordLogOptions): Promise<RecordLog> {
  const { config, directory, partitions, deletedStreams, onSynced, report } = options;
  if (config.kafka.brokers !== undefined) {
    // Only here: a server with everything embedded does not pay for it.
    const { openKafkaLog } = await import('./recordlog/kafka/kafka-log.ts');
    const recordLog = await openKafkaLog({ settings: config.kafka, clock, deletedStreams, onSynced, report });
    // What a crash between the catalog and the log left undone.
    await recordLog.addPartitions(partitions);
    return recordLog;
  }
  return openLocalLog({
    directory,
    fileSystem,
    clock,
    partitions,
    deletedStreams,
    segmentBytes: config.record_log.segment_bytes,
    maxPendingBytes: config.limits.pending_append_bytes,
    onSynced,
    report,
  });
}
