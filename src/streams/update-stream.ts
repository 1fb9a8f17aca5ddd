/** Changes what a stream says of itself: retention, form of its records, automatic scaling. Its partitions stay. */
import type { Catalog } from '../catalog/catalog.ts';
import { updateStreamRow } from '../catalog/streams.ts';
import { DomainError } from '../model/errors.ts';
import type { Limits } from '../model/limits.ts';
import type { DataType, Stream } from '../model/stream.ts';
import type { Clock } from '../platform/clock.ts';
import type { StreamChanges } from './stream-changes.ts';
import { checkAutoScale, checkDataSchema, checkRetention } from './stream-settings.ts';

export interface UpdateStreamDeps {
  readonly catalog: Catalog;
  readonly streamChanges: StreamChanges;
  readonly limits: Limits;
  readonly clock: Clock;
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

/** Resolves to the stream as it is then, durable. Throws InvalidBody, InvalidSchema, StreamNotFound. */
export async function updateStream(deps: UpdateStreamDeps, stream: Stream, update: StreamUpdate): Promise<Stream> {
  const { catalog, streamChanges, limits, clock } = deps;
  checkRetention(update.retentionHours, limits);
  if (update.dataSchema !== undefined) checkDataSchema(update.dataSchema);
  return streamChanges.run(stream, async (current) => {
    const next: Stream = {
      ...current,
      retentionHours: update.retentionHours ?? current.retentionHours,
      dataType: update.dataType ?? current.dataType,
      dataSchema: update.dataSchema ?? current.dataSchema,
      autoScale: autoScaleOf(current, update),
      updatedAt: clock.now(),
    };
    if (!(await updateStreamRow(catalog.db, next))) {
      throw new DomainError('StreamNotFound', [stream.name, stream.projectId]);
    }
    return next;
  });
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
