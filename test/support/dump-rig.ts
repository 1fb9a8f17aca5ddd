/**
 * A dump engine with everything around it that can be real: SQLite, a local directory; and a clock, a record log and an
 * object store that do what a test says. It can crash, and be started again on what a crash leaves. There may be several
 * engines beside each other, as on several nodes.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Kysely, KyselyPlugin, Transaction } from 'kysely';
import Value from 'typebox/value';
import type { Database } from '../../src/catalog/schema.ts';
import { insertStream } from '../../src/catalog/streams.ts';
import type { Cluster } from '../../src/cluster/cluster.ts';
import { createTask } from '../../src/dump/tasks/create-task.ts';
import type { DumpDescriptor } from '../../src/dump/settings/settings.ts';
import type { DumpConfig, DumpLogger } from '../../src/dump/dump-config.ts';
import type { DumpServices } from '../../src/dump/dump-services.ts';
import { CONVERSION_LIMITS } from '../../src/dump/convert/conversion.ts';
import { ConverterPool } from '../../src/dump/convert/converter-pool.ts';
import { DumpEngine } from '../../src/dump/engine.ts';
import { LimitsSchema, type Limits } from '../../src/model/limits.ts';
import { makeId } from '../../src/model/ids.ts';
import type { DataType, Stream } from '../../src/model/stream.ts';
import { openDirectoryStore } from '../../src/objects/directory.ts';
import type { ObjectStore } from '../../src/objects/object-store.ts';
import { BufferPool } from '../../src/platform/buffer-pool.ts';
import type { Clock } from '../../src/platform/clock.ts';
import { Gate } from '../../src/platform/gate.ts';
import { nodeFileSystem } from '../../src/platform/file-system.ts';
import type { Random } from '../../src/platform/random.ts';
import { splitHashSpace } from '../../src/streams/hash-ranges.ts';
import { repartition } from '../../src/streams/repartition.ts';
import { StreamRegistry } from '../../src/streams/stream-registry.ts';
import { openTestCatalog, type TestCatalog } from './catalog.ts';
import { FaultyStore } from './faulty-store.ts';
import { ManualClock } from './manual-clock.ts';
import { MemoryLog } from './memory-log.ts';
import { seededRandom } from './random.ts';
import { batchOf } from './records.ts';
import { alone, TestCluster, TestNode } from './test-cluster.ts';

export const PROJECT = '0123456789abcdef0123456789abcdef';
export const LIMITS: Limits = Value.Default(LimitsSchema, {}) as Limits;

/** What no healthy machine needs. */
const SETTLE_LIMIT_MS = 20_000;

export interface RigOptions {
  readonly partitions?: number;
  readonly seed?: number;
  readonly config?: Partial<DumpConfig>;
  readonly limits?: Partial<Limits>;
  /** Of `orders`; BLOB by default. */
  readonly dataType?: DataType;
  /** Not closed with the rig; by default it has its own. */
  readonly converters?: ConverterPool;
  /** Engines; undefined: one that is alone. */
  readonly nodes?: number;
}

/** A test's body with a rig of its own. */
export function withRig(run: (rig: DumpRig) => Promise<void>, options?: RigOptions): () => Promise<void> {
  return async () => {
    await using rig = await DumpRig.open(options);
    await run(rig);
  };
}

/** One process as far as the engine can tell: when it is over, whatever is still going on in it has no effect. */
class Life {
  over = false;
  readonly #end = new AbortController();
  readonly #calls = new Set<Promise<unknown>>();

  readonly plugin: KyselyPlugin = {
    transformQuery: ({ node }) => {
      if (this.over) throw new Error('this process has crashed');
      return node;
    },
    transformResult: async ({ result }) => result,
  };

  clock(clock: Clock): Clock {
    return {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      after: (ms, run) => clock.after(ms, () => (this.over ? undefined : run())),
    };
  }

  store(store: ObjectStore): ObjectStore {
    return {
      checkBucket: (bucket) => store.checkBucket(bucket),
      put: (bucket, key, body, options) => {
        const signals = [this.#end.signal, options.signal].filter((signal) => signal !== undefined);
        return this.#track(() => store.put(bucket, key, body, { ...options, signal: AbortSignal.any(signals) }));
      },
      head: (bucket, key) => store.head(bucket, key),
      read: (bucket, key) => store.read(bucket, key),
      list: (bucket, prefix) => store.list(bucket, prefix),
      removeLeftovers: (bucket, prefix, isOurs) => store.removeLeftovers(bucket, prefix, isOurs),
      delete: (bucket, key) => this.#track(() => store.delete(bucket, key)),
      close: () => store.close(),
    };
  }

  async end(): Promise<void> {
    this.over = true;
    this.#end.abort(new Error('this process has crashed'));
    await Promise.allSettled(this.#calls);
  }

  async #track<T>(call: () => Promise<T>): Promise<T> {
    if (this.over) throw new Error('this process has crashed');
    const running = call();
    this.#calls.add(running);
    try {
      return await running;
    } finally {
      this.#calls.delete(running);
    }
  }
}

/** A node: an engine, and what it has of its own. */
export interface RigNode {
  readonly life: Life;
  readonly engine: DumpEngine;
  readonly cluster: Cluster;
  readonly services: DumpServices;
}

export class DumpRig {
  readonly clock = new ManualClock();
  readonly log = new MemoryLog(this.clock);
  readonly registry = new StreamRegistry();
  readonly catalog: TestCatalog;
  readonly store: FaultyStore;
  readonly random: Random;
  readonly config: DumpConfig;
  readonly limits: Limits;
  readonly converters: ConverterPool;
  /** What becomes of the engine's next transactions, one each; then nothing goes wrong. */
  readonly catalogFaults: ('none' | 'refuse' | 'lose answer')[] = [];
  /** Messages of warnings and errors. */
  readonly complaints: string[] = [];
  readonly #folder: string;
  readonly #ownConverters: boolean;
  /** Undefined where there is one node, which is alone. */
  readonly cluster: TestCluster | undefined;
  #nodes: RigNode[] = [];
  #stream: Stream | undefined;

  private constructor(catalog: TestCatalog, store: FaultyStore, folder: string, options: RigOptions) {
    this.catalog = catalog;
    this.store = store;
    this.#folder = folder;
    this.random = seededRandom(options.seed ?? 1);
    this.limits = { ...LIMITS, ...options.limits };
    const limits = { ...CONVERSION_LIMITS, paths: this.limits.paths_per_cut };
    this.#ownConverters = options.converters === undefined;
    this.converters = options.converters ?? new ConverterPool({ threads: 1, limits });
    const backoff = { min: 1000, max: 30_000 };
    this.cluster = options.nodes === undefined ? undefined : new TestCluster(catalog.db);
    this.config = { uploads: 2, maxFileBytes: 2 ** 30, maxRecordBytes: 2 ** 20, backoff, ...options.config };
  }

  static async open(options: RigOptions = {}): Promise<DumpRig> {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-dump-'));
    const random = seededRandom(7);
    const store = new FaultyStore(await openDirectoryStore({ fileSystem: nodeFileSystem, root: folder, random }));
    const rig = new DumpRig(await openTestCatalog(), store, folder, options);
    rig.#stream = await rig.addStream('orders', options.partitions ?? 1, PROJECT, options.dataType);
    for (let node = 0; node < (options.nodes ?? 1); node += 1) await rig.start();
    return rig;
  }

  /** The stream that every rig has, `orders`, as it is now. */
  get stream(): Stream {
    return this.#stream!;
  }

  /** That of the first node, as all that is not said to be of another one. */
  get engine(): DumpEngine {
    return this.#nodes[0]!.engine;
  }

  get services(): DumpServices {
    return this.#nodes[0]!.services;
  }

  get nodes(): readonly RigNode[] {
    return this.#nodes;
  }

  async addStream(name: string, partitions: number, projectId = PROJECT, dataType: DataType = 'BLOB'): Promise<Stream> {
    const now = this.clock.now();
    const stream = await insertStream(this.catalog.db, {
      id: makeId((size) => this.random.bytes(size)),
      projectId,
      name,
      type: 'COMMON',
      dataType,
      dataSchema: undefined,
      csvDelimiter: undefined,
      compressionFormat: undefined,
      retentionHours: 24,
      autoScale: { enabled: false, min: undefined, max: undefined },
      tags: [],
      sysTags: [],
      createdAt: now,
      updatedAt: now,
      hashRanges: splitHashSpace(partitions),
    });
    if (stream === undefined) throw new Error(`there is a stream ${name} already`);
    await this.log.addPartitions(stream.partitions.map(({ ref }) => ref));
    this.registry.add(stream);
    return stream;
  }

  /** Gives `orders` another number of partitions, as far as the engine can tell. */
  async scale(target: number): Promise<void> {
    this.#stream = { ...this.stream, partitions: repartition(this.stream, target, this.clock.now()) };
    await this.log.addPartitions(this.stream.partitions.map(({ ref }) => ref));
    this.registry.add(this.stream);
  }

  /** Appends one block of records to a partition of `orders`. */
  async put(partition: number, ...records: readonly string[]): Promise<void> {
    const ref = { stream: this.stream.number, partition };
    await this.log.append([
      batchOf(
        ref,
        records.map((data) => ({ data })),
      ),
    ]);
  }

  /** Starts a node. */
  async start(): Promise<RigNode> {
    const life = new Life();
    const cluster = this.cluster?.join();
    const db = this.#unreliable(this.catalog.db.withPlugin(life.plugin));
    const engine = new DumpEngine({
      catalog: { ...this.catalog, db },
      cluster: cluster ?? alone(),
      streams: this.registry,
      recordLog: this.log,
      objects: life.store(this.store),
      buffers: new BufferPool(1024 * 1024),
      compressing: new Gate(2),
      converters: this.converters,
      clock: life.clock(this.clock),
      random: this.random,
      logger: this.#logger(life),
      config: this.config,
    });
    const node = { life, engine, cluster: cluster ?? alone(), services: this.#servicesOf(engine) };
    this.#nodes.push(node);
    cluster?.follow((changes) => {
      const keys = changes === 'all' ? 'all' : changes.map(({ key }) => key);
      return life.over ? Promise.resolve() : engine.memory.read(keys);
    });
    await engine.start();
    await this.settle();
    return node;
  }

  /** Ends the engine as a power cut does, and starts another one. */
  async crash(): Promise<void> {
    await this.kill(this.#nodes[0]!);
    await this.start();
  }

  /** Ends a node as a power cut does. */
  async kill(node: RigNode): Promise<void> {
    this.#nodes.splice(this.#nodes.indexOf(node), 1);
    const { cluster } = node;
    if (cluster instanceof TestNode) this.cluster!.bury(cluster);
    await node.life.end();
  }

  /** Moves time on, a second at a time, and lets the engine do what there is to do. */
  async advance(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 1000) {
      this.clock.advance(Math.min(1000, left));
      await this.settle();
    }
  }

  /** Resolves when no engine has anything to do but to wait for the clock or for a put that hangs. */
  async settle(): Promise<void> {
    for (const end = Date.now() + SETTLE_LIMIT_MS; ;) {
      const activities = this.#nodes.map(({ engine }) => engine.activity);
      const idle = activities.every(({ planning, committing }) => !planning && committing === 0);
      const uploading = activities.reduce((sum, activity) => sum + activity.uploading, 0);
      if (idle && uploading === this.store.hangingCuts) return;
      if (Date.now() > end) throw new Error(`never at rest: ${JSON.stringify([activities, this.store.hangingCuts])}`);
      await setImmediate();
    }
  }

  /** The dump log, in the order in which its rows were made. */
  rows() {
    return this.catalog.db.selectFrom('dump_log').selectAll().orderBy('id').execute();
  }

  positions() {
    return this.catalog.db.selectFrom('dump_positions').selectAll().orderBy('task_id').orderBy('partition').execute();
  }

  /** Creates a task on `orders`; its interval is 60 s. */
  async create(more: Partial<DumpDescriptor> = {}): Promise<string> {
    const id = await createTask(this.services, this.stream, {
      task_name: 'archive',
      obs_bucket_path: 'bucket',
      deliver_time_interval: 60,
      ...more,
    });
    await this.settle();
    return id;
  }

  async taskState(id: string): Promise<string> {
    const query = this.catalog.db.selectFrom('dump_tasks').select('state').where('task_id', '=', id);
    return (await query.executeTakeFirstOrThrow()).state;
  }

  /** The text of every delivered file, in the order of their plans. */
  async files(): Promise<string[]> {
    const delivered = (await this.rows()).filter(({ state }) => state === 0);
    return Promise.all(delivered.map(({ bucket, object_key }) => this.object(bucket, object_key)));
  }

  async object(bucket: string, key: string): Promise<string> {
    const pieces: Uint8Array[] = [];
    for await (const piece of this.store.read(bucket, key)) pieces.push(Buffer.from(piece));
    return Buffer.concat(pieces).toString();
  }

  async keys(bucket: string): Promise<string[]> {
    const keys: string[] = [];
    for await (const { key } of this.store.list(bucket, '')) keys.push(key);
    return keys;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { life } of this.#nodes) await life.end();
    if (this.#ownConverters) await this.converters.close();
    await this.catalog.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  #servicesOf(dumpEngine: DumpEngine): DumpServices {
    return {
      catalog: this.catalog,
      recordLog: this.log,
      registry: this.registry,
      limits: this.limits,
      clock: this.clock,
      random: this.random,
      objectStore: this.store,
      dumpEngine,
      minDeliverInterval: 1,
    };
  }

  /** Transactions that fail, or happen though they seem to fail, as `catalogFaults` says. */
  #unreliable(db: Kysely<Database>): Kysely<Database> {
    const { catalogFaults } = this;
    return new Proxy(db, {
      get(target, name) {
        if (name !== 'transaction') {
          const member: unknown = Reflect.get(target, name, target);
          return typeof member === 'function' ? (member.bind(target) as unknown) : member;
        }
        return () => ({
          // SQLite has one.
          setIsolationLevel() {
            return this;
          },
          async execute<T>(run: (transaction: Transaction<Database>) => Promise<T>): Promise<T> {
            const fault = catalogFaults.shift();
            const result = await target.transaction().execute(async (transaction) => {
              const inner = await run(transaction);
              if (fault === 'refuse') throw new Error('the catalog refuses');
              return inner;
            });
            if (fault === 'lose answer') throw new Error('the catalog does not answer');
            return result;
          },
        });
      },
    });
  }

  #logger(life: Life): DumpLogger {
    const complain = (_details: object, message: string) => {
      if (!life.over) this.complaints.push(message);
    };
    return { info: () => undefined, warn: complain, error: complain };
  }
}
