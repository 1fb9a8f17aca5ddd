/** Changes what a stream says of itself: retention, form of its records, automatic scaling. Its partitions stay. */
import { updateStreamRow } from '../catalog/streams.ts';
import { DomainError } from '../model/errors.ts';
import type { Limits } from '../model/limits.ts';
import type { DataType, Stream } from '../model/stream.ts';
import type { Clock } from '../platform/clock.ts';
import type { StreamChanges } from './stream-changes.ts';
import { checkAutoScale, checkDataSchema, checkRetention } from './stream-settings.ts';

/** Whoever works with the records of streams. */
export interface StreamUpdateHook {
  /** Before anything is written: throws to refuse what the stream is about to become. */
  check(next: Stream): void;
  /** Once it is durable and in the registry. Not called after a crash, so it must not be the only way to learn of it. */
  changed(next: Stream): Promise<void>;
}

export interface UpdateStreamDeps {
  readonly streamChanges: StreamChanges;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly onStreamUpdated: readonly StreamUpdateHook[];
}

/** Undefined members stay as they are. */
export interface StreamUpdate {
  readonly retentionHours?: number | undefined;
  readonly dataType?: DataType | undefined;
  readonly dataSchema?: string | undefined;
  readonly autoScaleEnabled?: boolean | undefined;
  readonly autoScaleMin?: number | undefined;
  readonly autoScaleMax?: number | undefined;
}

/** Resolves to the stream as it is then, durable. Throws InvalidBody, InvalidSchema, StreamNotFound, and what a hook throws. */
export async function updateStream(deps: UpdateStreamDeps, stream: Stream, update: StreamUpdate): Promise<Stream> {
  const { streamChanges, limits, clock, onStreamUpdated } = deps;
  checkRetention(update.retentionHours, limits);
  if (update.dataSchema !== undefined) checkDataSchema(update.dataSchema);
  const updated = await streamChanges.run(stream, async (current, transaction) => {
    const next: Stream = {
      ...current,
      retentionHours: update.retentionHours ?? current.retentionHours,
      dataType: update.dataType ?? current.dataType,
      dataSchema: update.dataSchema ?? current.dataSchema,
      autoScale: autoScaleOf(current, update),
      updatedAt: clock.now(),
    };
    for (const hook of onStreamUpdated) hook.check(next);
    if (!(await updateStreamRow(transaction, next))) {
      throw new DomainError('StreamNotFound', [stream.name, stream.projectId]);
    }
    return next;
  });
  await Promise.all(onStreamUpdated.map((hook) => hook.changed(updated)));
  return updated;
}

/** While it is off, bounds of 0 are none: that is what an answer about such a stream says. */
function autoScaleOf({ autoScale: current }: Stream, update: StreamUpdate): Stream['autoScale'] {
  const enabled = update.autoScaleEnabled ?? current.enabled;
  const bound = (given: number | undefined, old: number | undefined) =>
    given === 0 && !enabled ? undefined : (given ?? old);
  const min = bound(update.autoScaleMin, current.min);
  const max = bound(update.autoScaleMax, current.max);
  checkAutoScale(min, max);
  return { enabled, min, max };
}
