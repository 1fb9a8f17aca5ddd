/** What one node knows of streams, over a catalog that others may share, and how it changes them. */
import type { Catalog } from '../../src/catalog/catalog.ts';
import type { Cluster } from '../../src/cluster/cluster.ts';
import type { Clock } from '../../src/platform/clock.ts';
import type { RecordLog } from '../../src/recordlog/record-log.ts';
import { StreamChanges } from '../../src/streams/stream-changes.ts';
import { StreamFollower } from '../../src/streams/stream-follower.ts';
import { StreamRegistry } from '../../src/streams/stream-registry.ts';
import { ManualClock } from './manual-clock.ts';
import { MemoryLog } from './memory-log.ts';
import { alone } from './test-cluster.ts';

export interface StreamNodeOptions {
  readonly catalog: Catalog;
  readonly clock?: Clock;
  readonly recordLog?: Pick<RecordLog, 'addPartitions'>;
  readonly registry?: StreamRegistry;
  readonly cluster?: Pick<Cluster, 'exclusive' | 'announceIn' | 'settled'>;
  readonly onGone?: (stream: number) => void;
}

export function streamNode({
  catalog,
  clock = new ManualClock(),
  recordLog = new MemoryLog(clock),
  registry = new StreamRegistry(),
  cluster = alone(),
  onGone = () => undefined,
}: StreamNodeOptions) {
  const { db } = catalog;
  const onError = () => undefined;
  const { memory } = new StreamFollower({ db, registry, recordLog, clock, onGone, onError });
  return { registry, memory, streamChanges: new StreamChanges({ db, registry, cluster, memory }) };
}
