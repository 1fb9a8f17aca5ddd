/** How far an app has come in each partition of a stream, beside what there is to read. */
import { selectCheckpoints, type StoredCheckpoint } from '../catalog/checkpoints.ts';
import type { ConsumerApp } from '../model/consumer-app.ts';
import { DomainError } from '../model/errors.ts';
import type { Partition, PartitionStatus, Stream } from '../model/stream.ts';
import type { PartitionBounds } from '../recordlog/record-log.ts';
import { statusAt } from '../streams/partition-status.ts';
import { validBounds } from '../streams/valid-bounds.ts';
import type { AppServices } from './app-services.ts';

export interface PartitionState {
  readonly partition: Partition;
  readonly status: PartitionStatus;
  readonly bounds: PartitionBounds;
  /** Undefined when nothing was ever committed in the partition. */
  readonly checkpoint: StoredCheckpoint | undefined;
}

export interface ConsumptionPage {
  readonly states: readonly PartitionState[];
  readonly hasMore: boolean;
}

/** Readable partitions from number `from` (inclusive) on. Throws NeverCommitted when the app has no checkpoint there. */
export async function consumptionState(
  { catalog, recordLog, clock }: Pick<AppServices, 'catalog' | 'recordLog' | 'clock'>,
  app: ConsumerApp,
  stream: Stream,
  { from, limit }: { readonly from: number; readonly limit: number },
): Promise<ConsumptionPage> {
  const rows = await selectCheckpoints(catalog.reader, app.id, stream.number);
  if (rows.length === 0) throw new DomainError('NeverCommitted', [app.name, stream.name]);
  const committed = new Map(rows.map((row) => [row.partition, row]));
  const now = clock.now();
  const rest = stream.partitions
    .filter(({ ref }) => ref.partition >= from)
    .map((partition) => ({ partition, status: statusAt(stream, partition, now) }))
    .filter(({ status }) => status !== 'EXPIRED');
  const states = rest.slice(0, limit).map(async ({ partition, status }) => ({
    partition,
    status,
    bounds: await validBounds(recordLog, clock, stream, partition.ref),
    checkpoint: committed.get(partition.ref.partition),
  }));
  return { states: await Promise.all(states), hasMore: rest.length > limit };
}
