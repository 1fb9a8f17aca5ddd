/** The bodies and answers of backfills. */
import Type, { type Static } from 'typebox';
import { BACKFILL_ACTIONS } from '../../dump/backfill/change-backfill.ts';
import { TASK_STATES } from '../../dump/tasks/task-state.ts';
import { optional } from './optional.ts';
import { ObsDestinationDescriptor } from './transfer-tasks.ts';

const Point = (description: string) =>
  optional(
    Type.Object(
      {
        timestamp: optional(Type.Integer({ description: 'time of arrival, milliseconds since 1970' })),
        sequence_numbers: optional(
          Type.Record(Type.String(), Type.String(), {
            description: 'by partition; then only partitions that are named in from or to take part',
          }),
        ),
      },
      { description },
    ),
  );

export const CreateBackfillBody = Type.Object({
  file_prefix: Type.String({ description: 'folder of the files: another one than that of the task' }),
  from: Point('inclusive; absent: the oldest record that is kept'),
  to: Point('exclusive; absent: the end of each partition as it is now'),
  obs_destination_descriptor: optional(
    Type.Partial(Type.Omit(ObsDestinationDescriptor, ['task_name', 'file_prefix', 'consumer_strategy']), {
      description: 'what is to be different from the settings of the task',
    }),
  ),
  dry_run: optional(Type.Boolean({ description: 'true: only tell what would be delivered' })),
});
export type CreateBackfillBody = Static<typeof CreateBackfillBody>;

export const BackfillActionBody = Type.Object({
  action: Type.Unsafe<(typeof BACKFILL_ACTIONS)[number]>({ enum: [...BACKFILL_ACTIONS] }),
});
export type BackfillActionBody = Static<typeof BackfillActionBody>;

const Count = (description: string) => Type.Integer({ minimum: 0, description });
const SequenceNumber = (description: string) => Type.String({ pattern: '^\\d+$', description });

const RANGE = {
  partitionId: Type.String(),
  from_sequence_number: SequenceNumber('the first record'),
  to_sequence_number: SequenceNumber('exclusive'),
  records: Count('between the two'),
};
const TRUNCATED = Type.Boolean({ description: 'records that were asked for, or may have been, have expired' });
const BYTES = Count('of payloads with keys, to the block');

export const BackfillPlanReply = Type.Object({
  records: Count('of all partitions'),
  bytes: BYTES,
  truncated: TRUNCATED,
  partitions: Type.Array(Type.Object({ ...RANGE, bytes: BYTES, truncated: TRUNCATED })),
});

export const CreateBackfillReply = Type.Object({
  backfill_id: Type.String({ pattern: '^[A-Za-z0-9]{19}$', description: 'also the id of its log' }),
  records: Count('of all partitions'),
  truncated: TRUNCATED,
  partitions: Type.Array(Type.Object({ ...RANGE, truncated: TRUNCATED })),
});

const Time = Type.Integer({ minimum: 0, description: 'milliseconds since 1970; 0: not yet' });

const State = Type.Unsafe<string>({ enum: [...TASK_STATES] });

const BACKFILL = {
  backfill_id: Type.String({ pattern: '^[A-Za-z0-9]{19}$' }),
  task_id: Type.String(),
  task_name: Type.String({ description: 'the task that it was asked of' }),
  state: State,
  create_time: Time,
  last_transfer_timestamp: Time,
  records: Count('of the range, as far as its log is kept'),
  records_left: Count('not delivered yet'),
  discard: Count('records that are in no file'),
};

export const BackfillListReply = Type.Object({
  total_number: Count('of the task'),
  quota: Type.Integer({ minimum: 1, description: 'unfinished backfills that a task may have' }),
  backfills: Type.Array(Type.Object(BACKFILL)),
});

const TROUBLE = {
  error_code: Type.Optional(Type.String({ description: 'of what goes wrong at the moment' })),
  cause: Type.Optional(Type.String()),
};

export const BackfillReply = Type.Object({
  ...BACKFILL,
  ...TROUBLE,
  partitions: Type.Array(
    Type.Object({
      ...RANGE,
      next_sequence_number: SequenceNumber('the first record that is not delivered yet'),
      records_left: Count('not delivered yet'),
      discard: Count('records that are in no file'),
      last_transfer_timestamp: Time,
      state: State,
      ...TROUBLE,
    }),
  ),
  obs_destination_description: Type.Object({}, { additionalProperties: true, description: 'as of a dump task' }),
});
