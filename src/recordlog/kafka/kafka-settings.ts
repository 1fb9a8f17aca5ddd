/** The keys `kafka.*` of the configuration. */
import Type, { type Static } from 'typebox';

const BROKER = '[^,:\\s]+:\\d{1,5}';

export const KafkaSchema = Type.Object(
  {
    brokers: Type.Optional(
      Type.String({
        pattern: `^${BROKER}(,${BROKER})*$`,
        description: 'HOST:PORT of some of the brokers, separated by commas; set: records are kept in Kafka',
      }),
    ),
    topic_prefix: Type.String({
      default: 'sluice-',
      pattern: '^[A-Za-z0-9._-]{1,200}$',
      description: 'what the names of topics begin with; the number of the stream follows',
    }),
    replication_factor: Type.Integer({ default: 3, minimum: 1, maximum: 32767, description: 'of new topics' }),
    min_insync_replicas: Type.Integer({
      default: 2,
      minimum: 1,
      maximum: 32767,
      description: 'of new topics: replicas that must have a record before it is acknowledged',
    }),
    timeout_ms: Type.Integer({
      default: 10_000,
      minimum: 100,
      maximum: 120_000,
      description: 'time for a put, retries included, after which its outcome is given up as unknown',
    }),
    max_pending_bytes: Type.Integer({
      default: 64 * 1024 * 1024,
      minimum: 8 * 1024 * 1024,
      description: 'bytes of records that wait for brokers before puts are refused',
    }),
    sasl_mechanism: Type.Optional(
      Type.Union([Type.Literal('plain'), Type.Literal('scram-sha-256'), Type.Literal('scram-sha-512')], {
        description: 'how the server proves to brokers who it is; absent: not at all',
      }),
    ),
    sasl_username: Type.Optional(Type.String({ minLength: 1 })),
    sasl_password: Type.Optional(Type.String({ minLength: 1 })),
    tls: Type.Boolean({ default: false, description: 'speak TLS with brokers' }),
    tls_ca: Type.Optional(Type.String({ minLength: 1, description: 'PEM file of who signed their certificates' })),
    tls_cert: Type.Optional(Type.String({ minLength: 1, description: 'PEM file of our own certificate, if they ask' })),
    tls_key: Type.Optional(Type.String({ minLength: 1, description: 'PEM file of its key' })),
  },
  { default: {}, additionalProperties: false },
);

export type KafkaSettings = Static<typeof KafkaSchema>;
