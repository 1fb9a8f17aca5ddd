/** What a project may have, and how much of it it has. */
import { countApps } from '../catalog/apps.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Limits } from '../model/limits.ts';
import { STREAM_TYPES } from '../model/stream.ts';
import { partitionQuota } from './create-stream.ts';
import type { StreamRegistry } from './stream-registry.ts';

export interface Quota {
  readonly type: 'common_partition' | 'advanced_partition' | 'app';
  readonly quota: number;
  /** More than `quota` where the quota was lowered afterwards. */
  readonly used: number;
}

export interface QuotaDeps {
  readonly catalog: Catalog;
  readonly registry: StreamRegistry;
  readonly limits: Limits;
}

const PARTITION_QUOTAS = { COMMON: 'common_partition', ADVANCED: 'advanced_partition' } as const;

/** Partitions that are no longer written to do not count. */
export async function quotasOf({ catalog, registry, limits }: QuotaDeps, projectId: string): Promise<Quota[]> {
  const streams = registry.ofProject(projectId);
  const partitions = STREAM_TYPES.map((type) => {
    const counted = streams.filter((stream) => stream.type === type).flatMap((stream) => stream.partitions);
    const used = counted.filter(({ status }) => status === 'ACTIVE').length;
    return { type: PARTITION_QUOTAS[type], quota: partitionQuota(limits, type), used };
  });
  const apps = await countApps(catalog.reader, projectId);
  return [...partitions, { type: 'app', quota: limits.apps, used: apps }];
}
