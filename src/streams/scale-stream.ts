/**
 * Changes the number of partitions of a stream, by hand or automatically. The catalog decides, in one transaction with
 * the quota and the scaling log; then the record log hears of new partitions, and only then does the new stream take the
 * place of the old one in the registry of each node. A put chooses its partitions and hands its records to the log in one step without
 * a pause, so it sees the old stream or the new one, never a mixture. A crash in between is made good by the start-up,
 * which reads the catalog.
 */
import type { Kysely } from 'kysely';
import { countPartitions, writePartitions } from '../catalog/partitions.ts';
import { insertScaling } from '../catalog/scaling-log.ts';
import type { Database } from '../catalog/schema.ts';
import { updateStreamRow } from '../catalog/streams.ts';
import { DomainError } from '../model/errors.ts';
import type { Limits } from '../model/limits.ts';
import type { ScalingEvent, Stream } from '../model/stream.ts';
import type { Clock } from '../platform/clock.ts';
import { partitionQuota } from './create-stream.ts';
import { repartition, writableCount } from './repartition.ts';
import { recentScalings, requireUnlocked } from './scaling-log.ts';
import type { StreamChanges } from './stream-changes.ts';

export interface ScaleStreamDeps {
  readonly streamChanges: StreamChanges;
  readonly limits: Limits;
  readonly clock: Clock;
}

export interface Scaling {
  /** Numbers of ACTIVE partitions. */
  readonly from: number;
  readonly to: number;
}

export interface ScaleOptions {
  /** Not bound by the hourly rules, and marked in the log. */
  readonly automatic?: boolean;
}

/**
 * Brings the stream to `target` ACTIVE partitions. Throws InvalidBody when the target is none or what the stream has
 * already, ScalingLocked, StreamNotFound, and QuotaExceeded: that one is a try, and an entry of the scaling log.
 */
export async function scaleStream(
  deps: ScaleStreamDeps,
  stream: Stream,
  target: number,
  { automatic = false }: ScaleOptions = {},
): Promise<Scaling> {
  if (target < 1) throw new DomainError('InvalidBody', ['target_partition_count', 'must be at least 1']);
  let from = 0;
  let refusal: DomainError | undefined;
  await deps.streamChanges.run(stream, async (current, transaction) => {
    const now = deps.clock.now();
    from = writableCount(current);
    if (from === target) {
      throw new DomainError('InvalidBody', ['target_partition_count', `the stream has ${target} partitions already`]);
    }
    if (!automatic) requireUnlocked(current, deps.limits, now);
    const attempt = { at: now, from, to: target, automatic };
    const written = await write(deps, transaction, current, attempt);
    refusal = written.refusal;
    return written.stream;
  });
  if (refusal !== undefined) throw refusal;
  return { from, to: target };
}

interface Written {
  /** As it is in the catalog now. */
  readonly stream: Stream;
  readonly refusal: DomainError | undefined;
}

async function write(
  { limits }: ScaleStreamDeps,
  transaction: Kysely<Database>,
  stream: Stream,
  attempt: Omit<ScalingEvent, 'succeeded' | 'message'>,
): Promise<Written> {
  const { at: now, from, to } = attempt;
  const quota = partitionQuota(limits, stream.type);
  const used = (await countPartitions(transaction, stream.projectId, stream.type)) - from;
  const refusal = to > from && used + to > quota ? new DomainError('QuotaExceeded', [stream.type, quota]) : undefined;
  const event: ScalingEvent = { ...attempt, succeeded: refusal === undefined, message: refusal?.message ?? '' };
  const scalings = [...recentScalings(stream, now), event];
  const next =
    refusal === undefined
      ? { ...stream, partitions: repartition(stream, to, now), updatedAt: now, scalings }
      : { ...stream, scalings };
  if (!(await updateStreamRow(transaction, next))) {
    throw new DomainError('StreamNotFound', [stream.name, stream.projectId]);
  }
  if (refusal === undefined) await writePartitions(transaction, next.partitions);
  await insertScaling(transaction, stream.number, event);
  return { stream: next, refusal };
}
