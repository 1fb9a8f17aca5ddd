/** The keys `postgres.*` of the configuration. */
import Type, { type Static } from 'typebox';

export const PostgresSchema = Type.Object(
  {
    url: Type.Optional(
      Type.String({
        pattern: '^postgres(ql)?://',
        description: 'postgresql://USER:PASSWORD@HOST:PORT/DATABASE; set: the catalog is there',
      }),
    ),
    pool_size: Type.Integer({
      default: 10,
      minimum: 2,
      maximum: 1000,
      description: 'connections of this node for statements and transactions; a few more are kept for long reads',
    }),
    statement_timeout_ms: Type.Integer({
      default: 30_000,
      minimum: 100,
      description: 'time for one statement; ten times as much for long reads of the dump log',
    }),
    connect_timeout_ms: Type.Integer({ default: 5000, minimum: 100, description: 'time to get a connection' }),
    tls_ca: Type.Optional(
      Type.String({
        minLength: 1,
        description: "PEM file of who signed the server's certificate; set: TLS is demanded",
      }),
    ),
  },
  { default: {}, additionalProperties: false },
);

export type PostgresSettings = Static<typeof PostgresSchema>;
