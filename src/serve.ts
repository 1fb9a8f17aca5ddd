/**
 * The composition root: builds every part of a server, hands each what it needs, and closes them in phases. Nothing
 * else creates a long-lived object, and nothing imports this module but the command line.
 */
import { availableParallelism } from 'node:os';
import { pino, type Logger } from 'pino';
import { ensureAccounts } from './auth/accounts/configured-accounts.ts';
import { AppChanges } from './apps/app-changes.ts';
import { AppFollower } from './apps/app-follower.ts';
import { AppRegistry } from './apps/app-registry.ts';
import { CheckpointWriter } from './apps/checkpoints/checkpoint-writer.ts';
import { GroupCoordinator } from './apps/groups/group-coordinator.ts';
import type { Credentials } from './auth/credentials-file.ts';
import { ensureFirstUser } from './auth/first-user.ts';
import { LoginLimiter } from './auth/login-limiter.ts';
import { Passwords } from './auth/passwords.ts';
import { Signatures } from './auth/signature/signatures.ts';
import { TemporaryKeys } from './auth/temporary-keys.ts';
import { Tokens } from './auth/tokens.ts';
import { selectApps } from './catalog/apps.ts';
import type { Catalog } from './catalog/catalog.ts';
import { ensureSecret, selectMeta } from './catalog/meta.ts';
import { migrate } from './catalog/migrate.ts';
import { selectDeletedStreamNumbers, selectStreams } from './catalog/streams.ts';
import { runClosingPhases, type ClosingPhase } from './closing-phases.ts';
import type { Config } from './config.ts';
import { openDataDirectory } from './data-directory.ts';
import { DumpEngine } from './dump/engine.ts';
import { CONVERSION_LIMITS } from './dump/convert/conversion.ts';
import { ConverterPool } from './dump/convert/converter-pool.ts';
import { removeLeftoverUploads } from './dump/cuts/leftover-uploads.ts';
import { LogPruner } from './dump/dump-log/log-pruner.ts';
import { RankKeeper } from './dump/dump-log/rank-keeper.ts';
import { buildApp } from './http/app.ts';
import { openDirectoryStore } from './objects/directory.ts';
import type { ObjectStore } from './objects/object-store.ts';
import { openS3Store } from './objects/s3.ts';
import type { Cluster } from './cluster/cluster.ts';
import { Singletons } from './cluster/singletons.ts';
import { openCatalog } from './open-catalog.ts';
import { nodeName, openCluster } from './open-cluster.ts';
import { Durations } from './metrics/durations.ts';
import { MetricHistory } from './metrics/metric-history.ts';
import { Prometheus } from './metrics/prometheus.ts';
import { RequestMeter } from './metrics/request-meter.ts';
import { TrafficMeter } from './metrics/traffic-meter.ts';
import { DomainError } from './model/errors.ts';
import { BufferPool } from './platform/buffer-pool.ts';
import { systemClock as clock } from './platform/clock.ts';
import { Gate } from './platform/gate.ts';
import { nodeFileSystem as fileSystem, sharedFileSystem } from './platform/file-system.ts';
import { systemRandom as random } from './platform/random.ts';
import { Readiness } from './platform/readiness.ts';
import { repeat } from './platform/repeat.ts';
import { openRecordLog } from './open-record-log.ts';
import type { RecordLog } from './recordlog/record-log.ts';
import { AUTO_SCALING_MS, AutoScaler } from './streams/auto-scaling.ts';
import { CursorCodec } from './streams/cursor.ts';
import { expireRetired } from './streams/expire-partitions.ts';
import { trimExpired } from './streams/retention.ts';
import { StreamChanges } from './streams/stream-changes.ts';
import { StreamFollower } from './streams/stream-follower.ts';
import { StreamRegistry } from './streams/stream-registry.ts';
import { Throttle } from './streams/throttle.ts';
import { takeChanges } from './take-changes.ts';
import { TlsCertificate } from './tls-certificate.ts';
import { readVersion } from './version.ts';

export interface RunningServer {
  /** Where it listens, for example `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Begins to read the files of the certificate again; what is wrong with them is logged. */
  reload(): void;
  /** Stops every part in order; parts that take longer than their limit are left behind. Never rejects. */
  close(): Promise<void>;
}

/** Time for a part that has nothing to wait for but the disk. */
const DISK_LIMIT_MS = 10_000;
const TOKEN_PURGE_MS = 3_600_000;
const CERTIFICATE_CHECK_MS = 60_000;
const LEFTOVER_CHECK_MS = 3_600_000;
const LOG_PRUNE_MS = 3_600_000;
const RANKS_CHECK_MS = 10_000;
const CURSOR_KEY_BYTES = 32;
/** Record buffers kept for the next puts, gets and files. */
const POOLED_BYTES = 24 * 1024 * 1024;
/** Chunks of files that the main thread has compressed at a time: libuv has four threads, and the disk and converters need some. */
const COMPRESSIONS = 2;
const MAX_CONVERTERS = 4;

/**
 * Starts a server; resolves when it takes requests. Throws TlsCertificateError, DataDirectoryError, FirstUserError, the error of a listen
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
    const certificate = await loadCertificate(config);
    const data = await openDataDirectory(config.data_dir);
    opened('data directory', DISK_LIMIT_MS, () => data.release());

    const catalog = await openCatalog({
      config,
      name: `sluice ${config.cluster.node_id ?? ''}`.trim(),
      onIdleError: (error) => logger.warn({ err: error }, 'a connection to the catalog broke'),
    });
    opened('catalog', DISK_LIMIT_MS, () => catalog.close());
    await migrate(catalog.db);
    const shared = isShared(config);
    let url = '';
    const cluster = await openCluster(config, catalog, () => url, logger);
    opened('cluster', DISK_LIMIT_MS, () => cluster.close());
    const singletons = await Singletons.open(catalog, cluster, (error) =>
      logger.warn({ err: error }, 'a lease could not be given up'),
    );
    const { tokens, temporaryKeys, login } = await cluster.exclusive('first-user', () => prepareAuth(config, catalog));
    const purge = repeat(
      clock,
      TOKEN_PURGE_MS,
      singletons.run(
        'token purge',
        async () => void (await Promise.all([tokens.purgeExpired(), temporaryKeys.purgeExpired()])),
      ),
      (error) => logger.error({ err: error }, 'expired tokens and keys could not be purged'),
    );
    opened('token purge', DISK_LIMIT_MS, () => purge.close());

    const objectStore = await openObjectStore(config);
    opened('object store', DISK_LIMIT_MS, () => objectStore.close());

    const logSyncs = new Durations();
    const { registry, recordLog } = await openStreams(config, catalog, data.path('log'), logSyncs, logger);
    opened('record log', DISK_LIMIT_MS, () => recordLog.close());
    const traffic = new TrafficMeter(clock);
    const follower = new StreamFollower({
      db: catalog.db,
      registry,
      recordLog,
      clock,
      onGone: (stream) => traffic.forget(stream),
      onError: (error) => logger.error({ err: error }, 'a stream that changed could not be read'),
    });
    opened('streams', DISK_LIMIT_MS, () => follower.memory.close());
    const streamChanges = new StreamChanges({ db: catalog.db, cluster, registry, memory: follower.memory });

    const apps = new AppRegistry(await selectApps(catalog.db));
    const groups = new GroupCoordinator({ db: catalog.db, apps, registry, clock, limits: config.limits, shared });
    const appFollower = new AppFollower({
      db: catalog.db,
      apps,
      clock,
      onGone: (appId) => groups.forget(appId),
      onError: (error) => logger.error({ err: error }, 'an app that was made or deleted could not be read'),
    });
    opened('apps', DISK_LIMIT_MS, () => appFollower.memory.close());

    const buffers = new BufferPool(POOLED_BYTES);
    const converters = makeConverters(config);
    opened('converters', DISK_LIMIT_MS, () => converters.close());
    const dumpEngine = makeDumpEngine(
      config,
      catalog,
      cluster,
      registry,
      recordLog,
      objectStore,
      buffers,
      converters,
      logger,
    );
    opened('dump engine', graceMs + DISK_LIMIT_MS, () => dumpEngine.close(graceMs));
    await dumpEngine.start();
    const leftovers = repeat(
      clock,
      LEFTOVER_CHECK_MS,
      singletons.run('leftover uploads', () =>
        removeLeftoverUploads({ catalog, objects: objectStore, clock, shared, logger }),
      ),
      (error) => logger.error({ err: error }, 'leftover uploads could not be looked for'),
    );
    opened('leftover uploads', DISK_LIMIT_MS, () => leftovers.close());
    keepDumpLog(config, catalog, singletons, logger, opened);
    // Not before the engine knows its tasks: some of them hold records.
    const retention = repeat(
      clock,
      config.record_log.retention_check_seconds * 1000,
      singletons.run('retention', async () => {
        await trimExpired({ registry, recordLog, clock, holdsOf: (stream) => dumpEngine.holdsOf(stream) });
        await expireRetired({ catalog, registry, streamChanges, clock });
      }),
      (error) => logger.error({ err: error }, 'expired records could not be given up'),
    );
    opened('retention', DISK_LIMIT_MS, () => retention.close());

    const metricHistory = new MetricHistory({
      catalog,
      meter: traffic,
      clock,
      gather: shared ? () => cluster.announce({ kind: 'metrics', key: '' }) : undefined,
      onError: (error) => logger.error({ err: error }, 'metrics could not be stored'),
    });
    opened('metrics', DISK_LIMIT_MS, () => metricHistory.close());
    const autoScaler = new AutoScaler({
      registry,
      streamChanges,
      load: metricHistory,
      limits: config.limits,
      clock,
      logger,
    });
    const autoScaling = repeat(
      clock,
      AUTO_SCALING_MS,
      singletons.run('automatic scaling', () => autoScaler.look()),
      (error) => logger.error({ err: error }, 'automatic scaling failed'),
    );
    opened('automatic scaling', DISK_LIMIT_MS, () => autoScaling.close());
    cluster.follow(
      takeChanges({
        streams: follower.memory,
        apps: appFollower.memory,
        tasks: dumpEngine.memory,
        storeMetrics: () => metricHistory.store(),
        onError: (error) => logger.error({ err: error }, 'what other nodes have changed could not be read'),
      }),
    );
    // What they have changed while this one was starting.
    const memories = [follower.memory, appFollower.memory, dumpEngine.memory];
    if (shared) for (const memory of memories) await memory.read('all');
    const isCurrent = () => cluster.current && memories.every(({ current }) => current);
    const readiness = new Readiness({
      clock,
      checks: {
        // Any statement will do.
        catalog: () => selectMeta(catalog.db, 'layout'),
        membership: () => {
          if (!isCurrent()) throw new DomainError('NodeNotCurrent');
        },
        record_log: () => {
          if (recordLog.failure !== undefined) throw recordLog.failure;
        },
      },
      onFailed: (name, error) => logger.warn({ err: error, dependency: name }, 'not ready'),
    });
    const requests = new RequestMeter();
    const prometheus = new Prometheus({
      version: readVersion,
      operations: requests.operations,
      traffic: traffic.totals,
      streams: () => registry.counts(),
      logWritable: () => recordLog.failure === undefined,
      logSyncs,
      dump: () => ({
        ...dumpEngine.activity,
        ...dumpEngine.totals,
        ...dumpEngine.expiry,
        tasksByState: dumpEngine.tasksByState,
      }),
    });

    const signatures = new Signatures({
      db: catalog.db,
      clock,
      region: config.auth.region,
      unsignedPayload: config.auth.unsigned_payload,
    });
    const cursorKey = await ensureSecret(catalog.db, 'cursor_key', random.bytes(CURSOR_KEY_BYTES));
    const http = buildApp({
      services: {
        tokens,
        temporaryKeys,
        signatures,
        login,
        catalog,
        recordLog,
        registry,
        streamChanges,
        cursors: new CursorCodec(cursorKey, config.limits.cursor_seconds),
        apps,
        appChanges: new AppChanges({ db: catalog.db, cluster, memory: appFollower.memory }),
        checkpoints: new CheckpointWriter({ db: catalog.db, groups, clock }),
        groups,
        throttle: config.limits.profile === 'dis' ? new Throttle(clock) : undefined,
        objectStore,
        dumpEngine,
        minDeliverInterval: config.min_deliver_interval,
        requests,
        traffic,
        metricHistory,
        prometheus,
        cluster,
        readiness,
        isCurrent,
        metricsPublic: config.metrics.public,
        limits: config.limits,
        buffers,
        clock,
        random,
        onStreamUpdated: [
          { check: (next) => dumpEngine.checkStreamUpdate(next), changed: () => dumpEngine.followStreams() },
        ],
        onStreamDeleted: [({ number }) => dumpEngine.endTasksOfStream(number)],
      },
      logger,
      authFailureStatus: config.auth.failure_status,
      tls: certificate?.identity,
    });
    opened('http', graceMs + DISK_LIMIT_MS, () => http.close(graceMs));
    url = await http.app.listen({ host: config.host, port: config.port });
    const onError = (error: unknown) =>
      logger.error({ err: error }, 'the certificate cannot be read again; the one in use stays');
    const renew = async () => {
      if (certificate === undefined || !(await certificate.refresh())) return;
      http.setCertificate(certificate.identity);
      logger.info('the certificate was replaced');
    };
    const renewal = repeat(clock, CERTIFICATE_CHECK_MS, renew, onError);
    opened('certificate', DISK_LIMIT_MS, () => renewal.close());
    process.stdout.write(`Sluice listens on ${url}\n`);
    return {
      url,
      reload: () => {
        renew().catch(onError);
      },
      close: async () => void (await runClosingPhases(open, logger)),
    };
  } catch (error) {
    await runClosingPhases(open, logger);
    throw error;
  }
}

/** What is done to dump logs in the background: old rows go, and pages of long ones stay quick. */
function keepDumpLog(
  config: Config,
  catalog: Catalog,
  singletons: Singletons,
  logger: Logger,
  opened: (name: string, limitMs: number, close: () => Promise<void>) => void,
): void {
  const pruner = new LogPruner({ catalog, clock, days: config.dump.log_days });
  const ranks = new RankKeeper(catalog);
  for (const [name, pauseMs, job] of [
    ['log pruning', LOG_PRUNE_MS, pruner],
    ['log ranks', RANKS_CHECK_MS, ranks],
  ] as const) {
    const repetition = repeat(
      clock,
      pauseMs,
      singletons.run(name, () => job.look()),
      (error) => logger.error({ err: error }, `${name} failed`),
    );
    opened(name, DISK_LIMIT_MS, async () => {
      job.close();
      await repetition.close();
    });
  }
}

/** Whether other nodes work with the same catalog. */
function isShared({ postgres }: Config): boolean {
  return postgres.url !== undefined;
}

/** Tokens, logins, the configured accounts and the first user, whose made-up credentials are shown once and never logged. */
async function prepareAuth(config: Config, { db }: Catalog) {
  const passwords = new Passwords({ random });
  const dataDir = config.data_dir;
  const { generated } = await ensureFirstUser({
    ...{ db, settings: config, dataDir, passwords, random, clock, fileSystem },
    shared: isShared(config),
  });
  if (generated !== undefined) process.stdout.write(describeCredentials(generated, dataDir));
  await ensureAccounts({ db, passwords, random, clock }, config.accounts);

  const tokens = new Tokens({ db, clock, random, lifeSeconds: config.auth.token_seconds });
  const limiter = new LoginLimiter({
    clock,
    failures: config.auth.login_failures,
    windowSeconds: config.auth.login_window_seconds,
  });
  const temporaryKeys = new TemporaryKeys({ db, clock, random });
  return { tokens, temporaryKeys, login: { db, passwords, tokens, limiter } };
}

function describeCredentials(credentials: Credentials, dataDir: string): string {
  const lines = Object.entries(credentials).map(([name, value]) => `  ${name.padEnd(12)} ${value}\n`);
  return `Credentials made for the first user, kept in ${dataDir}/credentials.json and not shown again:\n${lines.join('')}`;
}

async function loadCertificate({ tls: { cert, key, min_version } }: Config): Promise<TlsCertificate | undefined> {
  if (cert === undefined || key === undefined) return undefined;
  return TlsCertificate.load({ cert, key, minVersion: min_version });
}

function openObjectStore(config: Config): Promise<ObjectStore> {
  const { s3, objects_dir: root } = config;
  if (s3.endpoint === undefined) {
    const writer = isShared(config) ? nodeName(config) : undefined;
    return openDirectoryStore({ fileSystem: sharedFileSystem, root, random, writer });
  }
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
  logSyncs: Durations,
  logger: Logger,
): Promise<{ registry: StreamRegistry; recordLog: RecordLog }> {
  const streams = await selectStreams(db);
  const recordLog = await openRecordLog({
    config,
    directory,
    partitions: streams.flatMap(({ partitions }) => partitions.map(({ ref }) => ref)),
    deletedStreams: await selectDeletedStreamNumbers(db),
    onSynced: (ms) => logSyncs.observe(ms),
    report: (level, message, error) => logger[level]({ err: error }, message),
  });
  return { registry: new StreamRegistry(streams), recordLog };
}

function makeConverters({ dump, limits }: Config): ConverterPool {
  const threads = dump.converters ?? Math.min(Math.max(availableParallelism() - 1, 1), MAX_CONVERTERS);
  return new ConverterPool({ threads, limits: { ...CONVERSION_LIMITS, paths: limits.paths_per_cut } });
}

function makeDumpEngine(
  { dump, limits }: Config,
  catalog: Catalog,
  cluster: Cluster,
  streams: StreamRegistry,
  recordLog: RecordLog,
  objects: ObjectStore,
  buffers: BufferPool,
  converters: ConverterPool,
  logger: Logger,
): DumpEngine {
  return new DumpEngine({
    catalog,
    cluster,
    streams,
    recordLog,
    objects,
    buffers,
    compressing: new Gate(COMPRESSIONS),
    converters,
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
