/**
 * Random histories of several dump engines over one catalog, as on several nodes: leases that move while work goes on,
 * nodes that fall asleep and wake up, nodes that die, failing and hanging stores, changes of the task asked of any node, new
 * partitions. After each history nothing may be wrong; after a quiet end everything must be through.
 *
 *     SLUICE_TEST_SEED=…   repeats a run
 */
import test, { after } from 'node:test';
import fc from 'fast-check';
import { auditDump } from '../../test/support/dump-audit.ts';
import { DumpRig, type RigNode } from '../../test/support/dump-rig.ts';
import type { Fault } from '../../test/support/faulty-store.ts';
import { seededFraction } from '../../test/support/random.ts';
import { testSeed } from '../../test/support/seed.ts';
import { TestNode } from '../../test/support/test-cluster.ts';
import { CONVERSION_LIMITS } from './convert/conversion.ts';
import { ConverterPool } from './convert/converter-pool.ts';
import type { DumpDescriptor } from './settings/settings.ts';
import { createTask } from './tasks/create-task.ts';
import { deleteTask } from './tasks/delete-task.ts';
import { startTasks } from './tasks/start-tasks.ts';
import { stopTasks } from './tasks/stop-tasks.ts';
import { updateTask } from './tasks/update-task.ts';

const PARTITIONS = 3;
const MOST_PARTITIONS = 5;
const NODES = 3;

type Step =
  | { readonly do: 'put'; readonly partition: number; readonly records: number }
  | { readonly do: 'advance'; readonly seconds: number }
  | { readonly do: 'run'; readonly turns: number; readonly seconds: number }
  | { readonly do: 'faults'; readonly faults: readonly Fault[] }
  | { readonly do: 'catalog'; readonly faults: readonly ('refuse' | 'lose answer')[] }
  /** Leases are taken by force; whoever had them is told now, or finds out at its next look. */
  | { readonly do: 'take'; readonly to: number; readonly every: number; readonly tell: boolean }
  | { readonly do: 'want' | 'sleep' | 'wake' | 'kill'; readonly node: number }
  | { readonly do: 'stop' | 'drain' | 'start' | 'delete' | 'grow'; readonly node: number }
  | { readonly do: 'update'; readonly node: number; readonly form: Partial<DumpDescriptor> };

/** Of two records in eight no path can be made. */
const FORMS: readonly Partial<DumpDescriptor>[] = [
  { record_delimiter: ';' },
  { record_delimiter: 'NULL', file_prefix: 'other/place', compression_format: 'gzip' },
  { path_template: 'c={$.c}' },
  { retry_duration: 5 },
];

function recordOf(partition: number, index: number): string {
  const n = `${partition}:${index}`;
  if (index % 8 === 3) return `!${n}`;
  return JSON.stringify({ n, c: index % 8 === 6 ? [1] : 'xyz'[index % 3] });
}

function pathOf(template: string, record: string): string | undefined {
  const value = record.startsWith('{') ? (JSON.parse(record) as { c: unknown }).c : undefined;
  return typeof value === 'string' ? template.replace('{$.c}', value) : undefined;
}

const partition = fc.nat({ max: MOST_PARTITIONS - 1 });
const node = fc.nat({ max: NODES - 1 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('put'), partition, records: fc.integer({ min: 1, max: 9 }) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('advance'), seconds: fc.constantFrom(1, 9, 10, 35) }) },
  // Stops in the middle of whatever is going on.
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('run'), turns: fc.nat({ max: 25 }), seconds: fc.constantFrom(0, 1, 10) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('faults'),
      faults: fc.array(fc.constantFrom<Fault>('before', 'midway', 'after', 'hang'), { maxLength: 3 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('catalog'),
      faults: fc.array(fc.constantFrom('refuse', 'lose answer'), { minLength: 1, maxLength: 3 }),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('take'),
      to: node,
      every: fc.integer({ min: 1, max: 3 }),
      tell: fc.boolean(),
    }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constantFrom('want', 'sleep', 'wake', 'wake', 'kill'), node }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom('stop', 'drain', 'start', 'start', 'delete', 'grow'), node }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('update'), node, form: fc.constantFrom(...FORMS) }) },
);

class History {
  readonly rig: DumpRig;
  readonly put: string[][] = Array.from({ length: PARTITIONS }, () => []);
  readonly #fraction: () => number;
  #taskId = '';
  #tasks = 0;

  constructor(rig: DumpRig, seed: number) {
    this.rig = rig;
    this.#fraction = seededFraction(seed);
  }

  get #descriptor(): DumpDescriptor {
    return {
      task_name: `task-${this.#tasks}`,
      obs_bucket_path: 'bucket',
      deliver_time_interval: 10,
      consumer_strategy: 'TRIM_HORIZON',
    };
  }

  async create(): Promise<void> {
    this.#tasks += 1;
    this.#taskId = await createTask(this.#awake(0).services, this.rig.stream, this.#descriptor);
    await this.#giveFree();
  }

  async take(next: Step): Promise<void> {
    const { rig } = this;
    switch (next.do) {
      case 'put': {
        const number = next.partition % this.put.length;
        const records = this.put[number]!;
        const texts = Array.from({ length: next.records }, (_, index) => recordOf(number, records.length + index));
        records.push(...texts);
        return rig.put(number, ...texts);
      }
      case 'advance':
        await this.#giveFree();
        await rig.advance(next.seconds * 1000);
        return this.#giveFree();
      case 'run':
        rig.clock.advance(next.seconds * 1000);
        for (let turn = 0; turn < next.turns; turn += 1) await new Promise(setImmediate);
        return;
      case 'faults':
        rig.store.faults.push(...next.faults);
        return;
      case 'catalog':
        rig.catalogFaults.push(...next.faults);
        await rig.advance(3000);
        rig.catalogFaults.length = 0;
        return;
      case 'take':
        return this.#take(next.to, next.every, next.tell);
      case 'want':
        clusterOf(this.#awake(next.node)).leases.want();
        return;
      case 'sleep':
        // One is left to answer.
        if (rig.nodes.filter((other) => !clusterOf(other).asleep).length > 1)
          clusterOf(this.#awake(next.node)).asleep = true;
        return this.#giveFree();
      case 'wake':
        return this.#wakeAll();
      case 'kill':
        await this.#wakeAll();
        await rig.kill(this.#awake(next.node));
        await rig.start();
        return this.#giveFree();
      case 'stop':
        return stopTasks(this.#awake(next.node).services, rig.stream, [this.#taskId]);
      case 'drain':
        return stopTasks(this.#awake(next.node).services, rig.stream, [this.#taskId], 'finish_planned');
      case 'start':
        return startTasks(this.#awake(next.node).services, rig.stream, [this.#taskId]);
      case 'delete':
        await deleteTask(this.#awake(next.node).services, rig.stream, `task-${this.#tasks}`);
        return this.create();
      case 'grow':
        if (this.put.length === MOST_PARTITIONS) return;
        this.put.push([]);
        return rig.scale(this.put.length);
      case 'update':
        return updateTask(this.#awake(next.node).services, rig.stream, { ...this.#descriptor, ...next.form });
    }
  }

  /** The trouble is over: everything that can be delivered is. */
  async quieten(): Promise<void> {
    const { rig } = this;
    rig.store.faults.length = 0;
    await this.#wakeAll();
    for (const old of [...rig.nodes]) {
      await rig.kill(old);
      await rig.start();
      await this.#giveFree();
    }
    await startTasks(rig.services, rig.stream, [this.#taskId]);
    for (let turn = 0; turn < 5; turn += 1) {
      await this.#giveFree();
      await rig.advance(10_000);
    }
  }

  #awake(index: number): RigNode {
    const awake = this.rig.nodes.filter((other) => !clusterOf(other).asleep);
    return awake[index % awake.length]!;
  }

  async #wakeAll(): Promise<void> {
    for (const { cluster } of this.rig.nodes) if (cluster instanceof TestNode && cluster.asleep) await cluster.wake();
    await this.#giveFree();
  }

  async #take(to: number, every: number, tell: boolean): Promise<void> {
    const { rig } = this;
    const rows = await rig.catalog.db.selectFrom('leases').selectAll().orderBy('name').execute();
    const taker = clusterOf(this.#awake(to));
    for (const [index, row] of rows.entries()) {
      if (index % every === 0 && row.owner !== taker.nodeId) await rig.cluster!.move(row, taker);
    }
    if (tell) for (const { cluster } of rig.nodes) (cluster as TestNode).leases.tell();
  }

  async #giveFree(): Promise<void> {
    for (const other of this.rig.nodes) clusterOf(other).leases.tell();
    await this.rig.cluster!.deliverAll();
    await this.rig.cluster!.giveFree((awake) => awake[Math.floor(this.#fraction() * awake.length)]!);
  }
}

function clusterOf({ cluster }: RigNode): TestNode {
  return cluster as TestNode;
}

// One thread for all runs: starting it takes longer than a run.
const converters = new ConverterPool({ threads: 1, limits: { ...CONVERSION_LIMITS, paths: 2 } });
after(() => converters.close());

test('wherever the work goes, each record is in exactly one committed file, dead letter or given-up range', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), fc.nat(), async (steps, seed) => {
      const config = { uploads: 2, maxFileBytes: 120 };
      const options = { partitions: PARTITIONS, seed, config, dataType: 'JSON', converters, nodes: NODES } as const;
      await using rig = await DumpRig.open(options);
      const history = new History(rig, seed);
      await history.create();
      for (const next of steps) await history.take(next);
      await rig.settle();
      await auditDump(rig, { put: history.put, complete: false, pathOf });
      await history.quieten();
      await auditDump(rig, { put: history.put, complete: true, pathOf });
    }),
    { numRuns: 25, seed: testSeed() },
  );
});
