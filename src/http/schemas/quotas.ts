/** The answer of the quotas operation. */
import Type from 'typebox';

const Quotas = Type.Array(
  Type.Object({
    type: Type.String({ description: 'common_partition, advanced_partition or app' }),
    quota: Type.Integer({ minimum: 1 }),
    used: Type.Integer({ minimum: 0 }),
  }),
);

/** The documents name the list one way in a table and another in an example: both are there. */
export const QuotasReply = Type.Object({ quotas: Type.Object({ resource: Quotas, resources: Quotas }) });
