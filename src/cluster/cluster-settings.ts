/** The keys `cluster.*` of the configuration. They matter only where the catalog is in PostgreSQL. */
import Type, { type Static } from 'typebox';

export const ClusterSchema = Type.Object(
  {
    node_id: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z0-9._-]{1,64}$',
        description: 'name of this node in logs and in `sluice nodes`; default: the host name and the process',
      }),
    ),
    lease_seconds: Type.Integer({
      default: 10,
      minimum: 1,
      maximum: 300,
      description: 'silence after which a node counts as dead and others take over its work',
    }),
  },
  { default: {}, additionalProperties: false },
);

export type ClusterSettings = Static<typeof ClusterSchema>;
