/**
 * Makes a stream. The catalog decides: its unique names let one of several concurrent creates win, and the quota is
 * counted in the same transaction. Only then do the record log and the registries hear of the stream, so whoever finds it
 * can write to it.
 */
import { countPartitions } from '../catalog/partitions.ts';
import { insertStream, type NewStream } from '../catalog/streams.ts';
import { DomainError } from '../model/errors.ts';
import { makeId } from '../model/ids.ts';
import type { Limits } from '../model/limits.ts';
import type { Stream, StreamType } from '../model/stream.ts';
import type { Clock } from '../platform/clock.ts';
import type { Random } from '../platform/random.ts';
import { splitHashSpace } from './hash-ranges.ts';
import type { StreamChanges } from './stream-changes.ts';
import type { StreamRegistry } from './stream-registry.ts';
import { checkStreamSettings, type StreamSettings } from './stream-settings.ts';

export interface CreateStreamDeps {
  readonly registry: StreamRegistry;
  readonly streamChanges: StreamChanges;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Resolves to the new stream, RUNNING and durable. Throws InvalidBody, InvalidSchema, StreamExists, and QuotaExceeded
 * when the project's partitions of the stream's type would be more than its quota.
 */
export async function createStream(
  deps: CreateStreamDeps,
  projectId: string,
  settings: StreamSettings,
): Promise<Stream> {
  checkStreamSettings(settings, deps.limits);
  const type = settings.type ?? 'COMMON';
  const quota = partitionQuota(deps.limits, type);
  const { name, partitionCount } = settings;
  if (deps.registry.find(projectId, name) !== undefined) throw new DomainError('StreamExists', [name]);
  // Known to fail: not worth a transaction that writes a million rows first.
  if (partitionCount > quota) throw new DomainError('QuotaExceeded', [type, quota]);

  return deps.streamChanges.make(async (transaction) => {
    const inserted = await insertStream(transaction, newStream(deps, projectId, type, settings));
    if (inserted === undefined) throw new DomainError('StreamExists', [name]);
    if ((await countPartitions(transaction, projectId, type)) > quota) {
      throw new DomainError('QuotaExceeded', [type, quota]);
    }
    return inserted;
  });
}

/** Partitions that all streams of one type in a project may have together. */
export function partitionQuota(limits: Limits, type: StreamType): number {
  return type === 'COMMON' ? limits.common_partitions : limits.advanced_partitions;
}

function newStream(
  { clock, random, limits }: CreateStreamDeps,
  projectId: string,
  type: StreamType,
  settings: StreamSettings,
): NewStream {
  const now = clock.now();
  return {
    id: makeId((size) => random.bytes(size)),
    projectId,
    name: settings.name,
    type,
    dataType: settings.dataType ?? 'BLOB',
    dataSchema: settings.dataSchema,
    csvDelimiter: settings.csvDelimiter,
    compressionFormat: settings.compressionFormat,
    retentionHours: settings.retentionHours ?? limits.min_retention_hours,
    autoScale: {
      enabled: settings.autoScaleEnabled ?? false,
      min: settings.autoScaleMin,
      max: settings.autoScaleMax,
    },
    tags: settings.tags,
    sysTags: settings.sysTags,
    createdAt: now,
    updatedAt: now,
    hashRanges: splitHashSpace(settings.partitionCount),
  };
}
