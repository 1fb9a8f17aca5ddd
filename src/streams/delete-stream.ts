/**
 * Deletes a stream with its records and dump tasks. It is gone for callers at once; its number stays behind in
 * deleted_streams, so that a crash before the log gave the records up is made good at the next start.
 */
import type { Catalog } from '../catalog/catalog.ts';
import { deleteStreamRows } from '../catalog/streams.ts';
import type { Stream } from '../model/stream.ts';
import type { Clock } from '../platform/clock.ts';
import type { RecordLog } from '../recordlog/record-log.ts';
import type { StreamRegistry } from './stream-registry.ts';

/**
 * Called once a stream is deleted in the catalog and before its records are given up: whoever works on it stops, and its
 * dump tasks end. Not called again after a crash, so it must not be the only way to learn of the deletion.
 */
export type StreamDeletedHook = (stream: Stream) => Promise<void>;

export interface DeleteStreamDeps {
  readonly catalog: Catalog;
  readonly recordLog: RecordLog;
  readonly registry: StreamRegistry;
  readonly clock: Clock;
  readonly onStreamDeleted: readonly StreamDeletedHook[];
}

export async function deleteStream(deps: DeleteStreamDeps, stream: Stream): Promise<void> {
  deps.registry.remove(stream);
  try {
    await deps.catalog.db
      .transaction()
      .execute((transaction) => deleteStreamRows(transaction, stream.number, deps.clock.now()));
  } catch (error) {
    deps.registry.add(stream);
    throw error;
  }
  try {
    await Promise.all(deps.onStreamDeleted.map((hook) => hook(stream)));
  } finally {
    await deps.recordLog.deleteStream(stream.number);
  }
}
