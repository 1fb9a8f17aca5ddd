/**
 * Deletes a stream with its records and dump tasks. It is gone for callers once the catalog says so; its number stays behind in
 * deleted_streams, so that a crash before the log gave the records up is made good at the next start.
 */
import type { Stream } from '../model/stream.ts';
import type { Clock } from '../platform/clock.ts';
import type { RecordLog } from '../recordlog/record-log.ts';
import type { StreamChanges } from './stream-changes.ts';

/**
 * Called once a stream is deleted in the catalog and before its records are given up, on the node that deletes it: its
 * dump tasks end. Not called again after a crash, so it must not be the only way to learn of the deletion.
 */
export type StreamDeletedHook = (stream: Stream) => Promise<void>;

export interface DeleteStreamDeps {
  readonly recordLog: Pick<RecordLog, 'deleteStream'>;
  readonly streamChanges: StreamChanges;
  readonly clock: Clock;
  readonly onStreamDeleted: readonly StreamDeletedHook[];
}

/** Resolves when no node knows the stream any more. Throws StreamNotFound, and what a hook throws: the stream is gone for all that. */
export async function deleteStream(deps: DeleteStreamDeps, stream: Stream): Promise<void> {
  await deps.streamChanges.delete(stream, deps.clock.now(), async () => {
    try {
      await Promise.all(deps.onStreamDeleted.map((hook) => hook(stream)));
    } finally {
      await deps.recordLog.deleteStream(stream.number);
    }
  });
}
