/** The time directories of a dump task. */
import Type from 'typebox';

const Count = Type.Integer({ minimum: 0 });
const Time = (description: string) => Type.Integer({ description });
const OrNull = (description: string) => Type.Union([Time(description), Type.Null()], { description });

const Manifest = Type.Object({
  number: Type.Integer({ minimum: 0, description: 'those from 1 on are addenda: files that came late' }),
  bucket: Type.String(),
  object_key: Type.String(),
  files: Count,
  records: Count,
  bytes: Count,
  store_time: OrNull('milliseconds since 1970; null: not stored yet'),
  checksum: Type.Union([Type.String(), Type.Null()], { description: '`sha256:<hex>` of the manifest' }),
});

const Period = Type.Object({
  start: Time('milliseconds since 1970'),
  end: Time('exclusive'),
  state: Type.Unsafe<string>({
    enum: ['open', 'complete'],
    description: 'complete: every record that arrived in time is in its files',
  }),
  complete_time: OrNull('when that was found; null: not yet'),
  merge_time: OrNull('when its files had been merged; null: not, or the task does not merge'),
  files: Type.Integer({ minimum: 0, description: 'superseded ones do not count' }),
  records: Count,
  bytes: Count,
  manifests: Type.Array(Manifest),
});

export const PeriodListReply = Type.Object({
  complete_until: OrNull(
    'time directories that end by then are complete, also those without a file; null: it cannot be told now',
  ),
  has_more_periods: Type.Boolean(),
  periods: Type.Array(Period),
});
