/**
 * The composition root: builds every part of a server, hands each what it needs, and closes them in phases. Nothing
 * else creates a long-lived object, and nothing imports this module but the command line.
 */
import { pino, type Logger } from 'pino';
import type { Credentials } from './auth/credentials-file.ts';
import { ensureFirstUser } from './auth/first-user.ts';
import { LoginLimiter } from './auth/login-limiter.ts';
import { Passwords } from './auth/passwords.ts';
import { Tokens } from './auth/tokens.ts';
import type { Catalog } from './catalog/catalog.ts';
import { ensureSecret } from './catalog/meta.ts';
import { migrate } from './catalog/migrate.ts';
import { openSqliteCatalog } from './catalog/sqlite/open.ts';
import { selectDeletedStreamNumbers, selectStreams } from './catalog/streams.ts';
import { runClosingPhases, type ClosingPhase } from './closing-phases.ts';
import type { Config } from './config.ts';
import { openDataDirectory } from './data-directory.ts';
import { DumpEngine } from './dump/engine.ts';
import { buildApp } from './http/app.ts';
import { openDirectoryStore } from './objects/directory.ts';
import type { ObjectStore } from './objects/object-store.ts';
import { openS3Store } from './objects/s3.ts';
import { DomainError } from './model/errors.ts';
import { BufferPool } from './platform/buffer-pool.ts';
import { systemClock as clock } from './platform/clock.ts';
import { nodeFileSystem as fileSystem, sharedFileSystem } from './platform/file-system.ts';
import { systemRandom as random } from './platform/random.ts';
import { repeat } from './platform/repeat.ts';
import { openLocalLog } from './recordlog/local/local-log.ts';
import type { RecordLog } from './recordlog/record-log.ts';
import { CursorCodec } from './streams/cursor.ts';
import { trimExpired } from './streams/retention.ts';
import { StreamChanges } from './streams/stream-changes.ts';
import { StreamRegistry } from './streams/stream-registry.ts';
import { Throttle } from './streams/throttle.ts';

export interface RunningServer {
  /** Where it listens, for example `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Stops every part in order; parts that take longer than their limit are left behind. Never rejects. */
  close(): Promise<void>;
}

/** Time for a part that has nothing to wait for but the disk. */
const DISK_LIMIT_MS = 10_000;
const TOKEN_PURGE_MS = 3_600_000;
const CURSOR_KEY_BYTES = 32;
/** Record buffers kept for the next puts, gets and files. */
const POOLED_BYTES = 24 * 1024 * 1024;

/**
 * Starts a server; resolves when it takes requests. Throws DataDirectoryError, FirstUserError, the error of a listen
 * that failed, or whatever keeps a part from opening; what was opened before that is closed again.
 */
export async function serve(config: Config): Promise<RunningServer> {
  const logger = pino({ level: config.log_level }, pino.destination({ fd: 2, sync: true }));
  const graceMs = config.shutdown_seconds * 1000;
  /** What is open, the newest first: the order of closing. */
  const open: ClosingPhase[] = [];
  const opened = (name: string, limitMs: number, close: () => Promise<void> | void) =>
    void open.unshift({ name, limitMs, close });

  try {
    const data = await openDataDirectory(config.data_dir);
    opened('data directory', DISK_LIMIT_MS, () => data.release());

    const catalog = await openSqliteCatalog({ path: data.path('catalog.db') });
    opened('catalog', DISK_LIMIT_MS, () => catalog.close());
    await migrate(catalog.db);
    const { tokens, login } = await prepareAuth(config, catalog);
    const purge = repeat(
      clock,
      TOKEN_PURGE_MS,
      () => tokens.purgeExpired(),
      (error) => logger.error({ err: error }, 'expired tokens could not be purged'),
    );
    opened('token purge', DISK_LIMIT_MS, () => purge.close());

    const objectStore = await openObjectStore(config);
    opened('object store', DISK_LIMIT_MS, () => objectStore.close());

    const { registry, recordLog } = await openStreams(config, catalog, data.path('log'), logger);
    opened('record log', DISK_LIMIT_MS, () => recordLog.close());
    const retention = repeat(
      clock,
      config.record_log.retention_check_seconds * 1000,
      () => trimExpired({ registry, recordLog, clock }),
      (error) => logger.error({ err: error }, 'expired records could not be given up'),
    );
    opened('retention', DISK_LIMIT_MS, () => retention.close());

    const buffers = new BufferPool(POOLED_BYTES);
    const dumpEngine = makeDumpEngine(config, catalog, recordLog, objectStore, buffers, logger);
    opened('dump engine', graceMs + DISK_LIMIT_MS, () => dumpEngine.close(graceMs));
    await dumpEngine.start((stream) => registry.byNumber(stream) !== undefined);

    const cursorKey = await ensureSecret(catalog.db, 'cursor_key', random.bytes(CURSOR_KEY_BYTES));
    const http = buildApp({
      services: {
        tokens,
        signatures: { begin: () => Promise.reject(new DomainError('AuthorizationUnreadable')) },
        login,
        catalog,
        recordLog,
        registry,
        streamChanges: new StreamChanges(registry),
        cursors: new CursorCodec(cursorKey, config.limits.cursor_seconds),
        throttle: config.limits.profile === 'dis' ? new Throttle(clock) : undefined,
        objectStore,
        dumpEngine,
        minDeliverInterval: config.min_deliver_interval,
        limits: config.limits,
        buffers,
        clock,
        random,
        onStreamDeleted: [({ number }) => dumpEngine.endTasksOfStream(number)],
      },
      logger,
      authFailureStatus: config.auth.failure_status,
    });
    opened('http', graceMs + DISK_LIMIT_MS, () => http.close(graceMs));
    const url = await http.app.listen({ host: config.host, port: config.port });
    process.stdout.write(`Sluice listens on ${url}\n`);
    return { url, close: async () => void (await runClosingPhases(open, logger)) };
  } catch (error) {
    await runClosingPhases(open, logger);
    throw error;
  }
}

/** Tokens, logins and the first user, whose made-up credentials are shown once and never logged. */
async function prepareAuth(config: Config, { db }: Catalog) {
  const passwords = new Passwords({ random });
  const dataDir = config.data_dir;
  const { generated } = await ensureFirstUser({ db, settings: config, dataDir, passwords, random, clock, fileSystem });
  if (generated !== undefined) process.stdout.write(describeCredentials(generated, dataDir));

  const tokens = new Tokens({ db, clock, random, lifeSeconds: config.auth.token_seconds });
  const limiter = new LoginLimiter({
    clock,
    failures: config.auth.login_failures,
    windowSeconds: config.auth.login_window_seconds,
  });
  return { tokens, login: { db, passwords, tokens, limiter } };
}

function describeCredentials(credentials: Credentials, dataDir: string): string {
  const lines = Object.entries(credentials).map(([name, value]) => `  ${name.padEnd(12)} ${value}\n`);
  return `Credentials made for the first user, kept in ${dataDir}/credentials.json and not shown again:\n${lines.join('')}`;
}

function openObjectStore({ s3, objects_dir: root }: Config): Promise<ObjectStore> {
  if (s3.endpoint === undefined) return openDirectoryStore({ fileSystem: sharedFileSystem, root, random });
  return openS3Store({
    endpoint: s3.endpoint,
    region: s3.region,
    accessKey: s3.access_key,
    secretKey: s3.secret_key,
    pathStyle: s3.path_style,
    timeoutSeconds: s3.timeout_seconds,
  });
}

/** The streams of the catalog and the log that holds their records. */
async function openStreams(
  config: Config,
  { db }: Catalog,
  directory: string,
  logger: Logger,
): Promise<{ registry: StreamRegistry; recordLog: RecordLog }> {
  const streams = await selectStreams(db);
  const recordLog = await openLocalLog({
    directory,
    fileSystem,
    clock,
    partitions: streams.flatMap(({ partitions }) => partitions.map(({ ref }) => ref)),
    deletedStreams: await selectDeletedStreamNumbers(db),
    segmentBytes: config.record_log.segment_bytes,
    maxPendingBytes: config.limits.pending_append_bytes,
    report: (level, message, error) => logger[level]({ err: error }, message),
  });
  return { registry: new StreamRegistry(streams), recordLog };
}

function makeDumpEngine(
  { dump, limits }: Config,
  catalog: Catalog,
  recordLog: RecordLog,
  objects: ObjectStore,
  buffers: BufferPool,
  logger: Logger,
): DumpEngine {
  return new DumpEngine({
    catalog,
    recordLog,
    objects,
    buffers,
    clock,
    random,
    logger,
    config: {
      uploads: dump.uploads,
      maxFileBytes: dump.max_file_megabytes * 1024 * 1024,
      backoff: { min: dump.retry_min_seconds * 1000, max: dump.retry_max_seconds * 1000 },
      maxRecordBytes: limits.record_bytes,
    },
  });
}
