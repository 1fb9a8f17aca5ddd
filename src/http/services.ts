/** What the routes work with: handed to them once, by the composition root, and to nobody through fastify itself. */
import type { AppChanges } from '../apps/app-changes.ts';
import type { AppRegistry } from '../apps/app-registry.ts';
import type { CheckpointWriter } from '../apps/checkpoints/checkpoint-writer.ts';
import type { GroupCoordinator } from '../apps/groups/group-coordinator.ts';
import type { LoginContext } from '../auth/login.ts';
import type { RequestSignatures } from '../auth/signature/signatures.ts';
import type { TemporaryKeys } from '../auth/temporary-keys.ts';
import type { Tokens } from '../auth/tokens.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { DumpEngine } from '../dump/engine.ts';
import type { MetricHistory } from '../metrics/metric-history.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Prometheus } from '../metrics/prometheus.ts';
import type { RequestMeter } from '../metrics/request-meter.ts';
import type { TrafficMeter } from '../metrics/traffic-meter.ts';
import type { Limits } from '../model/limits.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import type { BufferPool } from '../platform/buffer-pool.ts';
import type { Clock } from '../platform/clock.ts';
import type { Random } from '../platform/random.ts';
import type { Readiness } from '../platform/readiness.ts';
import type { RecordLog } from '../recordlog/record-log.ts';
import type { CursorCodec } from '../streams/cursor.ts';
import type { StreamChanges } from '../streams/stream-changes.ts';
import type { StreamDeletedHook } from '../streams/delete-stream.ts';
import type { StreamRegistry } from '../streams/stream-registry.ts';
import type { Throttle } from '../streams/throttle.ts';
import type { StreamUpdateHook } from '../streams/update-stream.ts';

export interface Services {
  readonly tokens: Tokens;
  readonly temporaryKeys: TemporaryKeys;
  readonly signatures: RequestSignatures;
  readonly login: LoginContext;
  readonly catalog: Catalog;
  readonly recordLog: RecordLog;
  readonly registry: StreamRegistry;
  readonly streamChanges: StreamChanges;
  readonly cursors: CursorCodec;
  readonly apps: AppRegistry;
  readonly appChanges: AppChanges;
  readonly checkpoints: CheckpointWriter;
  readonly groups: GroupCoordinator;
  /** Present when the cloud service's throughput is imitated. */
  readonly throttle: Throttle | undefined;
  readonly objectStore: ObjectStore;
  readonly dumpEngine: DumpEngine;
  /** Seconds: the lowest deliver_time_interval taken. */
  readonly minDeliverInterval: number;
  readonly requests: RequestMeter;
  readonly traffic: TrafficMeter;
  readonly metricHistory: MetricHistory;
  readonly prometheus: Prometheus;
  readonly cluster: Pick<Cluster, 'nodeId' | 'nodes'>;
  readonly readiness: Readiness;
  /** Whether what this node has in memory is what the catalog says. */
  readonly isCurrent: () => boolean;
  /** Whether the page for Prometheus is open to everybody. */
  readonly metricsPublic: boolean;
  readonly limits: Limits;
  readonly buffers: BufferPool;
  readonly clock: Clock;
  readonly random: Random;
  readonly onStreamUpdated: readonly StreamUpdateHook[];
  readonly onStreamDeleted: readonly StreamDeletedHook[];
}
