/** What the use cases of apps, checkpoints and consumer groups work with. */
import type { Catalog } from '../catalog/catalog.ts';
import type { Limits } from '../model/limits.ts';
import type { Clock } from '../platform/clock.ts';
import type { Random } from '../platform/random.ts';
import type { RecordLog } from '../recordlog/record-log.ts';
import type { StreamRegistry } from '../streams/stream-registry.ts';
import type { AppChanges } from './app-changes.ts';
import type { AppRegistry } from './app-registry.ts';
import type { CheckpointWriter } from './checkpoints/checkpoint-writer.ts';
import type { GroupCoordinator } from './groups/group-coordinator.ts';

export interface AppServices {
  readonly apps: AppRegistry;
  readonly appChanges: AppChanges;
  readonly checkpoints: CheckpointWriter;
  readonly groups: GroupCoordinator;
  readonly registry: StreamRegistry;
  readonly recordLog: RecordLog;
  readonly catalog: Catalog;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly random: Random;
}
