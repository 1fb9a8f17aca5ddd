/** Where the backfills of a task are. */
import { streamPaths, type TaskParams } from '../transfer-tasks/paths.ts';

export interface BackfillParams extends TaskParams {
  readonly backfillId: string;
}

export function backfillPaths(rest = ''): ReturnType<typeof streamPaths> {
  return streamPaths(`/transfer-tasks/:taskName/backfills${rest}`);
}
