/** The row of a (task, partition) that has delivered nothing yet. */
import type { DumpPositionRow } from '../../catalog/dump-positions.ts';

export interface Start {
  readonly taskId: string;
  readonly partition: number;
  /** The first record that is to be delivered. */
  readonly position: number;
  /** Exclusive; null for no end. */
  readonly end: number | null;
}

/** `now` in ms: the wait for the first file begins. */
export function newPosition({ taskId, partition, position, end }: Start, now: number): DumpPositionRow {
  return {
    task_id: taskId,
    partition,
    position,
    waiting_since: now,
    last_name_time: 0,
    last_transfer_at: null,
    discarded: 0,
    start_position: position,
    end_position: end,
    warned_position: null,
    all_dead: 0,
  };
}
