/** A record log on a Kafka of the tests. */
import { systemClock } from '../../src/platform/clock.ts';
import { openKafkaLog } from '../../src/recordlog/kafka/kafka-log.ts';
import type { KafkaSettings } from '../../src/recordlog/kafka/kafka-settings.ts';
import type { RecordLog } from '../../src/recordlog/record-log.ts';

export interface KafkaLogUnderTest {
  readonly log: RecordLog;
  /** What was reported, one line each. */
  readonly reports: string[];
}

export async function openLogOn(
  bootstrap: readonly string[],
  settings: Partial<KafkaSettings> = {},
  deletedStreams: Iterable<number> = [],
): Promise<KafkaLogUnderTest> {
  const reports: string[] = [];
  const copies = Math.min(3, bootstrap.length);
  const log = await openKafkaLog({
    settings: {
      brokers: bootstrap.join(','),
      topic_prefix: 'sluice-',
      replication_factor: copies,
      min_insync_replicas: Math.max(1, copies - 1),
      timeout_ms: 10_000,
      max_pending_bytes: 64 * 1024 * 1024,
      tls: false,
      ...settings,
    },
    clock: systemClock,
    deletedStreams,
    report: (level, message, error) =>
      reports.push(`${level} ${message}${error instanceof Error ? `: ${error.message}` : ''}`),
  });
  return { log, reports };
}
