/** The answers of the metrics operations. */
import Type from 'typebox';

const Metric = Type.Object({
  label: Type.String(),
  dataPoints: Type.Array(
    Type.Object({
      timestamp: Type.Integer({ description: 'beginning of the minute in seconds since 1970' }),
      value: Type.Integer({ minimum: 0 }),
    }),
    { description: 'one a minute, without gaps' },
  ),
});

export const MetricsReply = Type.Object({
  metrics: Metric,
  metrics_list: Type.Optional(Type.Array(Metric, { description: 'there when label_list was given' })),
});
