/** The answers about redrives. */
import Type from 'typebox';

const COUNTS = {
  cuts: Type.Integer({ minimum: 0, description: 'objects with dead letters' }),
  records: Type.Integer({ minimum: 0, description: 'dead letters in them' }),
};

export const CreateRedriveReply = Type.Object({
  redrive: Type.Object(COUNTS, { description: 'what was taken by this call' }),
});

export const RedriveReply = Type.Object({
  redrive: Type.Object(
    {
      ...COUNTS,
      error_code: Type.Optional(Type.String({ description: 'why one of them failed last' })),
      cause: Type.Optional(Type.String()),
    },
    { description: 'taken and not done' },
  ),
  dead_letters: Type.Object(COUNTS, { description: 'what the next redrive would take' }),
});
