/** Where a dump task is, deleted or not. */
import Type from 'typebox';
import { TASK_STATES } from '../../dump/tasks/task-state.ts';

const Time = (description: string) => Type.Integer({ minimum: 0, description });

export const TransferTaskPlace = Type.Object({
  task_id: Type.String({ pattern: '^[A-Za-z0-9]{19}$' }),
  task_name: Type.String(),
  stream_id: Type.String(),
  stream_name: Type.String(),
  kind: Type.Unsafe<string>({ enum: ['live', 'backfill'] }),
  parent_task_id: Type.Union([Type.String(), Type.Null()], { description: 'the task that a backfill was asked of' }),
  state: Type.Unsafe<string>({ enum: [...TASK_STATES] }),
  create_time: Time('milliseconds since 1970'),
  delete_time: Type.Union([Time('milliseconds since 1970'), Type.Null()], { description: 'null: it is live' }),
});
