/**
 * The one configuration: a YAML file, overridden by the environment, overridden by command-line flags; checked against
 * one schema, filled with defaults and frozen. Every key has an environment name: its path in upper case after
 * `SLUICE_`, so `s3.endpoint` is `SLUICE_S3_ENDPOINT`; a list stands there as YAML (or JSON). No other module reads the
 * environment, but for SLUICE_ENDPOINT, which is no key: the server that commands ask (cli/remote-target.ts).
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import Type, { type Static, type TObject, type TSchema } from 'typebox';
import Value from 'typebox/value';
import { parse } from 'yaml';
import { AccountsSchema } from './auth/accounts/account-settings.ts';
import { PostgresSchema } from './catalog/postgres/postgres-settings.ts';
import { ClusterSchema } from './cluster/cluster-settings.ts';
import { LimitsSchema } from './model/limits.ts';
import { KafkaSchema } from './recordlog/kafka/kafka-settings.ts';

const LogLevel = Type.Union(
  (['fatal', 'error', 'warn', 'info', 'debug', 'silent'] as const).map((level) => Type.Literal(level)),
  { default: 'info', description: 'least level of the log lines written to standard error' },
);

export const ConfigSchema = Type.Object(
  {
    data_dir: Type.String({ default: './data', minLength: 1, description: 'folder of everything the server keeps' }),
    listen: Type.String({ default: '127.0.0.1:8080', description: 'HOST:PORT; port 0 takes a free one' }),
    tls: Type.Object(
      {
        cert: Type.Optional(
          Type.String({ minLength: 1, description: 'PEM file of the certificate (chain); set: HTTPS instead of HTTP' }),
        ),
        key: Type.Optional(Type.String({ minLength: 1, description: 'PEM file of its key' })),
        min_version: Type.Union([Type.Literal('TLSv1.2'), Type.Literal('TLSv1.3')], {
          default: 'TLSv1.2',
          description: 'lowest version of TLS that is spoken',
        }),
      },
      { default: {}, additionalProperties: false },
    ),
    project_id: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9]{1,64}$', description: 'id of the first project' })),
    project_name: Type.String({ default: 'default', minLength: 1, description: 'name of the first project' }),
    access_key: Type.Optional(Type.String({ minLength: 1, description: 'access key of the first user' })),
    secret_key: Type.Optional(Type.String({ minLength: 1, description: 'secret key of the first user' })),
    domain: Type.Optional(Type.String({ minLength: 1, description: 'account of the first user' })),
    user: Type.Optional(Type.String({ minLength: 1, description: 'name of the first user' })),
    password: Type.Optional(Type.String({ minLength: 1, description: 'password of the first user' })),
    accounts: AccountsSchema,
    min_deliver_interval: Type.Integer({
      default: 30,
      minimum: 1,
      maximum: 900,
      description: 'seconds: the lowest deliver_time_interval taken',
    }),
    objects_dir: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'the directory store: a bucket is a folder in it; default data_dir/objects',
      }),
    ),
    s3: Type.Object(
      {
        endpoint: Type.Optional(
          Type.String({ minLength: 1, description: 'URL of the S3 or OBS service; set: files go there' }),
        ),
        region: Type.String({ default: 'us-east-1', description: 'region that requests are signed for' }),
        access_key: Type.Optional(Type.String({ description: 'absent: the AWS credential chain' })),
        secret_key: Type.Optional(Type.String()),
        path_style: Type.Boolean({ default: true, description: 'bucket in the path, not in the host name' }),
        timeout_seconds: Type.Integer({
          default: 60,
          minimum: 1,
          description: 'silence after which a request is given up',
        }),
      },
      { default: {}, additionalProperties: false },
    ),
    kafka: KafkaSchema,
    postgres: PostgresSchema,
    cluster: ClusterSchema,
    auth: Type.Object(
      {
        failure_status: Type.Union([Type.Literal(401), Type.Literal(441)], {
          default: 401,
          description: 'HTTP status of failed authentication: 401 as the SDKs expect, 441 as the error table says',
        }),
        region: Type.Optional(
          Type.String({ minLength: 1, description: 'region that signatures must name; absent: any' }),
        ),
        unsigned_payload: Type.Boolean({
          default: false,
          description: 'take signatures that leave out the body (X-Sdk-Content-Sha256: UNSIGNED-PAYLOAD)',
        }),
        token_seconds: Type.Integer({ default: 86_400, minimum: 1, description: 'life of a token' }),
        login_failures: Type.Integer({
          default: 10,
          minimum: 1,
          description: 'failed logins of one address before it is blocked',
        }),
        login_window_seconds: Type.Integer({ default: 300, minimum: 1, description: 'how long failed logins count' }),
      },
      { default: {}, additionalProperties: false },
    ),
    record_log: Type.Object(
      {
        segment_bytes: Type.Integer({
          default: 128 * 1024 * 1024,
          minimum: 1024 * 1024,
          maximum: 1024 * 1024 * 1024,
          description: 'size at which a segment of the commit log is sealed',
        }),
        retention_check_seconds: Type.Integer({
          default: 60,
          minimum: 1,
          description: 'pause between two looks for expired records',
        }),
      },
      { default: {}, additionalProperties: false },
    ),
    dump: Type.Object(
      {
        uploads: Type.Integer({
          default: 8,
          minimum: 1,
          description: 'cuts written at the same time; each may be several files',
        }),
        converters: Type.Optional(
          Type.Integer({
            minimum: 1,
            description: 'threads that look into records; default: the processors but one, four at the most',
          }),
        ),
        max_file_megabytes: Type.Integer({
          default: 1024,
          minimum: 1,
          description: 'MB of records at which a cut ends where deliver_size_interval does not end it earlier',
        }),
        retry_min_seconds: Type.Integer({ default: 1, minimum: 1, description: 'pause after a first failure' }),
        retry_max_seconds: Type.Integer({ default: 300, minimum: 1, description: 'longest pause between two tries' }),
        log_days: Type.Integer({
          default: 90,
          minimum: 0,
          description: 'days for which rows of the dump log are kept; 0: for ever',
        }),
      },
      { default: {}, additionalProperties: false },
    ),
    metrics: Type.Object(
      {
        public: Type.Boolean({
          default: true,
          description: 'GET /metrics needs no token; false: one of an administrator',
        }),
      },
      { default: {}, additionalProperties: false },
    ),
    limits: LimitsSchema,
    shutdown_seconds: Type.Integer({
      default: 30,
      minimum: 1,
      description: 'time that running requests and uploads get at a stop',
    }),
    log_level: LogLevel,
  },
  { additionalProperties: false },
);

type RawConfig = Static<typeof ConfigSchema>;
export type Config = Readonly<RawConfig & { objects_dir: string; host: string; port: number }>;

/** A configuration that cannot be used; the message names the key and what is wrong with it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

export interface ConfigSources {
  /** Path of a YAML file. */
  readonly file?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Values of command-line flags; they win. */
  readonly flags?: { readonly data_dir?: string | undefined; readonly listen?: string | undefined };
}

/** Reads, merges and checks every source. Throws ConfigError. */
export function loadConfig({ file, env, flags = {} }: ConfigSources): Config {
  const values = file === undefined ? {} : readFile(file);
  applyEnvironment(ConfigSchema, values, env, 'SLUICE');
  for (const [key, value] of Object.entries(flags)) if (value !== undefined) values[key] = value;

  const filled: unknown = Value.Default(ConfigSchema, values);
  if (!Value.Check(ConfigSchema, filled)) {
    const [first] = Value.Errors(ConfigSchema, filled);
    const key = first?.instancePath.slice(1).replaceAll('/', '.') || 'config';
    const extra = first?.keyword === 'boolean' ? 'is not a known key' : (first?.message ?? 'is invalid');
    throw new ConfigError(`${key}: ${extra}`);
  }
  if (filled.limits.min_retention_hours > filled.limits.max_retention_hours) {
    throw new ConfigError('limits.min_retention_hours: must not be above limits.max_retention_hours');
  }
  if ((filled.s3.access_key === undefined) !== (filled.s3.secret_key === undefined)) {
    throw new ConfigError('s3.access_key: needs s3.secret_key, and the other way round');
  }
  if ((filled.tls.cert === undefined) !== (filled.tls.key === undefined)) {
    throw new ConfigError('tls.cert: needs tls.key, and the other way round');
  }
  requireWholeCluster(filled);
  const data_dir = resolve(filled.data_dir);
  return deepFreeze({
    ...filled,
    ...parseListen(filled.listen),
    data_dir,
    objects_dir: resolve(filled.objects_dir ?? join(data_dir, 'objects')),
  });
}

/** Records in Kafka with a catalog on one machine, or the other way round, would lose one when they lose the other. */
function requireWholeCluster({ kafka, postgres }: RawConfig): void {
  if ((kafka.brokers === undefined) !== (postgres.url === undefined)) {
    throw new ConfigError('kafka.brokers: needs postgres.url, and the other way round');
  }
  const { sasl_mechanism, sasl_username, sasl_password, tls_cert, tls_key } = kafka;
  const sasl = [sasl_mechanism, sasl_username, sasl_password];
  if (sasl.includes(undefined) && sasl.some((value) => value !== undefined)) {
    throw new ConfigError(
      'kafka.sasl_mechanism: needs kafka.sasl_username and kafka.sasl_password, and the other way round',
    );
  }
  if ((tls_cert === undefined) !== (tls_key === undefined)) {
    throw new ConfigError('kafka.tls_cert: needs kafka.tls_key, and the other way round');
  }
  if (kafka.min_insync_replicas > kafka.replication_factor) {
    throw new ConfigError('kafka.min_insync_replicas: must not be above kafka.replication_factor');
  }
}

function readFile(path: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = parse(readFileSync(path, 'utf8')) ?? {};
  } catch (error) {
    throw new ConfigError(`${path}: ${firstLine(error)}`, { cause: error });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ConfigError(`${path}: must be a map of keys`);
  }
  return value as Record<string, unknown>;
}

/** Puts each set variable at its key, converted to the key's type; what cannot be converted is left to the check. */
function applyEnvironment(
  schema: TObject,
  values: Record<string, unknown>,
  env: ConfigSources['env'],
  path: string,
): void {
  for (const [key, property] of Object.entries(schema.properties as Record<string, TSchema>)) {
    const name = `${path}_${key.toUpperCase()}`;
    if (Type.IsObject(property)) {
      const inner = values[key] ?? {};
      if (typeof inner === 'object' && !Array.isArray(inner)) {
        values[key] = { ...inner };
        applyEnvironment(property, values[key] as Record<string, unknown>, env, name);
      }
      continue;
    }
    const text = env[name];
    if (text === undefined || text === '') continue;
    values[key] = Type.IsArray(property) ? parseList(name, text) : Value.Convert(property, text);
  }
}

function parseList(name: string, text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw new ConfigError(`${name}: ${firstLine(error)}`, { cause: error });
  }
}

/** What follows in an error of YAML is a piece of the text, which may hold secrets. */
function firstLine(error: unknown): string {
  return (error as Error).message.split('\n', 1)[0] ?? '';
}

function parseListen(listen: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(listen);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) throw new ConfigError(`listen: must be HOST:PORT, not ${listen}`);
  return { host: match[1] ?? (match[2] || '0.0.0.0'), port };
}

function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value))
    if (typeof inner === 'object' && inner !== null) deepFreeze(inner as object);
  return Object.freeze(value);
}
