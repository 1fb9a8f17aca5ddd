/**
 * A dump engine with everything around it that can be real: SQLite, a local directory; and a clock, a record log and an
 * object store that do what a test says. It can crash, and be started again on what a crash leaves.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import Value from 'typebox/value';
import { insertStream } from "../../src/catalog/streams.js";
import { DumpEngine } from "../../src/dump/engine.js";
import { LimitsSchema } from "../../src/model/limits.js";
import { makeId } from "../../src/model/ids.js";
import { openDirectoryStore } from "../../src/objects/directory.js";
import { nodeFileSystem } from "../../src/platform/file-system.js";
import { StreamRegistry } from "../../src/streams/stream-registry.js";
import { openTestCatalog } from "./catalog.js";
import { FaultyStore } from "./faulty-store.js";
import { ManualClock } from "./manual-clock.js";
import { MemoryLog } from "./memory-log.js";
import { seededRandom } from "./random.js";
import { batchOf } from "./records.js";
export const PROJECT = '0123456789abcdef0123456789abcdef';
export const LIMITS = Value.Default(LimitsSchema, {});
/** One process as far as the engine can tell: when it is over, whatever is still going on in it has no effect. */
class Life {
    over = false;
    #end = new AbortController();
    #calls = new Set();
    plugin = {
        transformQuery: ({ node }) => {
            if (this.over)
                throw new Error('this process has crashed');
            return node;
        },
        transformResult: async ({ result }) => result,
    };
    clock(clock) {
        return {
            now: () => clock.now(),
            monotonic: () => clock.monotonic(),
            after: (ms, run) => clock.after(ms, () => (this.over ? undefined : run())),
        };
    }
    store(store) {
        return {
            checkBucket: (bucket) => store.checkBucket(bucket),
            put: (bucket, key, body, options) => {
                const signals = [this.#end.signal, options.signal].filter((signal) => signal !== undefined);
                return this.#track(() => store.put(bucket, key, body, { ...options, signal: AbortSignal.any(signals) }));
            },
            head: (bucket, key) => store.head(bucket, key),
            read: (bucket, key) => store.read(bucket, key),
            list: (bucket, prefix) => store.list(bucket, prefix),
            delete: (bucket, key) => this.#track(() => store.delete(bucket, key)),
            close: () => store.close(),
        };
    }
    async end() {
        this.over = true;
        this.#end.abort(new Error('this process has crashed'));
        await Promise.allSettled(this.#calls);
    }
    async #track(call) {
        if (this.over)
            throw new Error('this process has crashed');
        const running = call();
        this.#calls.add(running);
        try {
            return await running;
        }
        finally {
            this.#calls.delete(running);
        }
    }
}
export class DumpRig {
    clock = new ManualClock();
    log = new MemoryLog(this.clock);
    registry = new StreamRegistry();
    catalog;
    store;
    random;
    config;
    limits;
    /** Messages of warnings and errors. */
    complaints = [];
    #folder;
    #life = new Life();
    #engine;
    #stream;
    constructor(catalog, store, folder, options) {
        this.catalog = catalog;
        this.store = store;
        this.#folder = folder;
        this.random = seededRandom(options.seed ?? 1);
        this.limits = { ...LIMITS, ...options.limits };
        const backoff = { min: 1000, max: 30_000 };
        this.config = { uploads: 2, maxFileBytes: 2 ** 30, maxRecordBytes: 2 ** 20, backoff, ...options.config };
    }
    static async open(options = {}) {
        const folder = await mkdtemp(join(tmpdir(), 'sluice-dump-'));
        const random = seededRandom(7);
        const store = new FaultyStore(await openDirectoryStore({ fileSystem: nodeFileSystem, root: folder, random }));
        const rig = new DumpRig(await openTestCatalog(), store, folder, options);
        rig.#stream = await rig.addStream('orders', options.partitions ?? 1);
        await rig.start();
        return rig;
    }
    /** The stream that every rig has, `orders`. */
    get stream() {
        return this.#stream;
    }
    get engine() {
        return this.#engine;
    }
    get services() {
        return {
            catalog: this.catalog,
            recordLog: this.log,
            registry: this.registry,
            limits: this.limits,
            clock: this.clock,
            random: this.random,
            objectStore: this.store,
            dumpEngine: this.engine,
            minDeliverInterval: 1,
        };
    }
    async addStream(name, partitions, projectId = PROJECT) {
        const now = this.clock.now();
        const stream = await insertStream(this.catalog.db, {
            id: makeId((size) => this.random.bytes(size)),
            projectId,
            name,
            type: 'COMMON',
            dataType: 'BLOB',
            dataSchema: undefined,
            csvDelimiter: undefined,
            compressionFormat: undefined,
            retentionHours: 24,
            autoScale: { enabled: false, min: undefined, max: undefined },
            tags: [],
            sysTags: [],
            createdAt: now,
            updatedAt: now,
            hashRanges: Array.from({ length: partitions }, (_, index) => ({ low: BigInt(index), high: BigInt(index) })),
        });
        if (stream === undefined)
            throw new Error(`there is a stream ${name} already`);
        this.log.addPartitions(stream.partitions.map(({ ref }) => ref));
        this.registry.add(stream);
        return stream;
    }
    /** Appends one block of records to a partition of `orders`. */
    async put(partition, ...records) {
        const ref = { stream: this.stream.number, partition };
        await this.log.append([
            batchOf(ref, records.map((data) => ({ data }))),
        ]);
    }
    async start() {
        const life = (this.#life = new Life());
        const db = this.catalog.db.withPlugin(life.plugin);
        this.#engine = new DumpEngine({
            catalog: { ...this.catalog, db },
            recordLog: this.log,
            objects: life.store(this.store),
            clock: life.clock(this.clock),
            random: this.random,
            logger: this.#logger(life),
            config: this.config,
        });
        await this.#engine.start((stream) => this.registry.byNumber(stream) !== undefined);
        await this.settle();
    }
    /** Ends the engine as a power cut does, and starts another one. */
    async crash() {
        await this.#life.end();
        await this.start();
    }
    /** Moves time on, a second at a time, and lets the engine do what there is to do. */
    async advance(ms) {
        for (let left = ms; left > 0; left -= 1000) {
            this.clock.advance(Math.min(1000, left));
            await this.settle();
        }
    }
    /** Resolves when the engine has nothing to do but to wait for the clock or for a put that hangs. */
    async settle() {
        for (;;) {
            const { planning, uploading, committing } = this.engine.activity;
            if (!planning && committing === 0 && uploading === this.store.hanging)
                return;
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
    async object(bucket, key) {
        const pieces = [];
        for await (const piece of this.store.read(bucket, key))
            pieces.push(Buffer.from(piece));
        return Buffer.concat(pieces).toString();
    }
    async keys(bucket) {
        const keys = [];
        for await (const { key } of this.store.list(bucket, ''))
            keys.push(key);
        return keys;
    }
    async [Symbol.asyncDispose]() {
        await this.#life.end();
        await this.catalog.close();
        await rm(this.#folder, { recursive: true, force: true });
    }
    #logger(life) {
        const complain = (_details, message) => {
            if (!life.over)
                this.complaints.push(message);
        };
        return { info: () => undefined, warn: complain, error: complain };
    }
}
//# sourceMappingURL=dump-rig.js.map