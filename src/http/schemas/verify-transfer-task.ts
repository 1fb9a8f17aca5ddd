/** The lines of a verification's answer. */
import Type, { type Static } from 'typebox';
import { FINDING_KINDS } from '../../dump/verify/finding.ts';

const Count = Type.Integer({ minimum: 0 });

const Sums = Type.Object({
  task_id: Type.String(),
  cuts: Count,
  files: Count,
  records: Count,
  bytes: Count,
  dead_letters: Count,
  given_up: Count,
  objects: Count,
  objects_read: Count,
  cuts_remade: Count,
  findings: Count,
});

/**
 * Each line is an object with one of the members. `progress`: the sums so far, first and in every quiet quarter of a minute. The
 * last line has `summary`, or `error` when the walk broke off.
 */
export const VerifyLine = Type.Object({
  finding: Type.Optional(
    Type.Object({
      kind: Type.Unsafe<string>({ enum: [...FINDING_KINDS] }),
      partition: Type.Optional(Count),
      first: Type.Optional(Type.Integer({ description: 'first sequence number' })),
      last: Type.Optional(Type.Integer({ description: 'last sequence number, inclusive' })),
      bucket: Type.Optional(Type.String()),
      key: Type.Optional(Type.String()),
      detail: Type.String(),
    }),
  ),
  progress: Type.Optional(Sums),
  summary: Type.Optional(Sums),
  error: Type.Optional(Type.Object({ error_code: Type.String(), error_msg: Type.String() })),
});
export type VerifyLine = Static<typeof VerifyLine>;
