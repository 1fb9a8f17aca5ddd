/** Checks what a dump engine has left behind against what was put: the promise of exactly-once files, spelled out. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import type { Selectable } from 'kysely';
import type { DumpLogTable } from '../../src/catalog/schema.ts';
import { baseOf } from '../../src/dump/cuts/object-name.ts';
import { parseStoredSettings, type DumpSettings } from '../../src/dump/settings/settings.ts';
import type { DumpRig } from './dump-rig.ts';

export interface AuditOptions {
  /** Everything that was ever put into each partition of `orders`, by sequence number. */
  readonly put: readonly (readonly string[])[];
  /** Whether every record must be delivered, given up or too old: all is through, and nothing fails any more. */
  readonly complete: boolean;
  /** The directories that a path template gives a record; undefined for one that has to be a dead letter. */
  readonly pathOf?: (template: string, record: string) => string | undefined;
}

type Row = Selectable<DumpLogTable>;

/**
 * Committed and given-up cuts tile each partition up to its position; the files and dead letters of a committed cut hold
 * exactly its records, each in one of them; names increase; counts agree; and the buckets hold the committed objects and,
 * while files are under way, theirs.
 */
export async function auditDump(rig: DumpRig, options: AuditOptions): Promise<void> {
  const rows = await rig.rows();
  const { db } = rig.catalog;
  const tasks = await db.selectFrom('dump_tasks').selectAll().execute();
  const versions = await db.selectFrom('dump_task_versions').selectAll().execute();
  const objects = new Objects(rig);

  for (const task of tasks) {
    const settings = new Map(
      versions
        .filter(({ task_id }) => task_id === task.task_id)
        .map((version) => [version.version, parseStoredSettings(version.settings)]),
    );
    const ofTask = rows.filter(({ task_id }) => task_id === task.task_id);
    assert.equal(task.log_rows, ofTask.length, 'log_rows counts the rows');
    for (const row of ofTask.filter(({ kind }) => kind === 'warning')) {
      assert.deepEqual([row.state, row.given_up, row.records, row.object_key], [1, 0, 0, '']);
    }
    const positions = (await rig.positions()).filter(({ task_id }) => task_id === task.task_id);
    const live = task.deleted_at === null;
    if (options.complete && live) assert.equal(positions.length, options.put.length, 'every partition is taken');
    for (const position of positions) {
      const ofPartition = ofTask.filter(
        ({ partition, kind }) => partition === position.partition && kind === 'delivery',
      );
      const cuts = cutsOf(ofPartition);
      const tiles = cuts
        .map(({ plan }) => plan)
        .filter(({ state, given_up }) => state === 0 || given_up === 1)
        .sort((a, b) => a.first_sequence - b.first_sequence);
      // Every task of the audit begins at 0.
      let at = 0;
      let discarded = 0;
      for (const tile of tiles) {
        assert.equal(tile.first_sequence, at, 'no gap, no overlap');
        assert.ok(tile.next_sequence > at, 'no empty cut');
        at = tile.next_sequence;
        discarded += tile.given_up === 1 ? tile.next_sequence - tile.first_sequence : tile.dead_letters;
      }
      assert.equal(position.position, at, 'the position is where the tiles end');
      assert.equal(position.discarded, discarded);
      const put = options.put[position.partition]!;
      if (options.complete && live) assert.equal(at, put.length, 'all is through');

      const open = cuts.filter(({ plan }) => plan.state === 2);
      assert.ok(open.length <= 1, 'one plan at a time');
      for (const { plan } of open) {
        assert.equal(plan.first_sequence, at);
        assert.ok(live);
      }
      const newest = tiles.findLast(({ state }) => state === 0);
      assert.equal(position.all_dead, newest !== undefined && newest.object_key === '' ? 1 : 0);
      for (const cut of cuts) {
        if (cut.plan.state !== 0) objects.allow(cut.plan);
        else await auditCut(objects, cut, put, settings.get(cut.plan.task_version)!, options);
      }
    }
  }
  await objects.auditBuckets();
}

interface Cut {
  readonly plan: Row;
  /** The rows of its files, that of the plan first if it has one. */
  readonly files: readonly Row[];
}

/** The cuts of a partition of a task in the order of their plans, with one row for each failed attempt. */
function cutsOf(rows: readonly Row[]): readonly Cut[] {
  const cuts = [...Map.groupBy(rows, ({ created_at }) => created_at).values()].map((ofCut): Cut => {
    const [plan, ...others] = ofCut;
    assert.ok(plan !== undefined && plan.plan_id === null);
    const further = others.filter(({ plan_id }) => plan_id !== null);
    for (const file of further) {
      assert.equal(file.plan_id, plan.id);
      for (const column of SAME_IN_ALL_FILES) assert.equal(file[column], plan[column], column);
    }
    const attempts = others.filter(({ plan_id }) => plan_id === null).map(({ attempt }) => attempt);
    assert.deepEqual(
      attempts,
      attempts.map((_, index) => index + 1),
      'one row for each failed attempt',
    );
    assert.equal(plan.attempt, attempts.length + 1);
    return { plan, files: plan.object_key === '' ? further : [plan, ...further] };
  });
  const times = cuts.map(({ plan }) => plan.created_at);
  assert.deepEqual(
    times,
    times.toSorted((a, b) => a - b),
    'names increase',
  );
  return cuts;
}

const SAME_IN_ALL_FILES = [
  'state',
  'first_sequence',
  'next_sequence',
  'task_version',
  'attempt',
  'schema_revision',
  'start_time',
  'end_time',
] as const;

/** The files and dead letters of a committed cut hold its records and nothing else. */
async function auditCut(
  objects: Objects,
  { plan, files }: Cut,
  put: readonly string[],
  settings: DumpSettings,
  { pathOf = () => '' }: AuditOptions,
): Promise<void> {
  const numbers = Array.from(
    { length: plan.next_sequence - plan.first_sequence },
    (_, index) => plan.first_sequence + index,
  );
  const { pathTemplate } = settings;
  const byPath = Map.groupBy(numbers, (number) =>
    pathTemplate === undefined ? '' : pathOf(pathTemplate, put[number]!),
  );
  const dead = byPath.get(undefined) ?? [];
  byPath.delete(undefined);
  assert.deepEqual(
    files.map(({ path }) => path),
    [...byPath.keys()],
    'a file for each path',
  );
  for (const file of files) {
    const own = byPath.get(file.path)!;
    assert.equal(file.records, own.length);
    assert.deepEqual([file.first_record, file.last_record], [own[0], own.at(-1)]);
    assert.equal(file.read_records, own.length + (file === plan ? dead.length : 0));
    const bytes = await objects.read(file.bucket, file.object_key, file.checksum!, file.bytes);
    if (settings.fileType === 'text') {
      const text = own.map((number) => put[number]! + settings.delimiter).join('');
      assert.equal(unpacked(bytes, settings).toString(), text);
    }
  }
  assert.equal(plan.dead_letters, dead.length);
  const { dead_letter_key: key, dead_letter_checksum: checksum, dead_letter_bytes: size } = plan;
  if (dead.length === 0) {
    assert.deepEqual([key, checksum, size], [null, null, null]);
    return;
  }
  const lines = (await objects.read(plan.bucket, key!, checksum!, size!)).toString().trimEnd().split('\n');
  assert.deepEqual(
    lines.map((line) => {
      const { sequence_number, payload } = JSON.parse(line) as Record<string, string>;
      return [sequence_number, payload];
    }),
    dead.map((number) => [String(number), put[number]]),
  );
}

function unpacked(bytes: Buffer, { compression }: DumpSettings): Buffer {
  if (compression === 'gzip') return gunzipSync(bytes);
  return compression === 'zstd' ? zstdDecompressSync(bytes) : bytes;
}

/** What is in the bucket, and what may be. */
class Objects {
  readonly #rig: DumpRig;
  readonly #expected = new Set<string>();
  /** Base names of cuts whose objects may be there: they are under way, or could not be removed. */
  readonly #allowed = new Set<string>();

  constructor(rig: DumpRig) {
    this.#rig = rig;
  }

  /** A committed object, which must be there and be what its row says. */
  async read(bucket: string, key: string, checksum: string, size: number): Promise<Buffer> {
    assert.ok(!this.#expected.has(key), `${key} is in two rows`);
    this.#expected.add(key);
    const pieces: Buffer[] = [];
    for await (const piece of this.#rig.store.read(bucket, key)) pieces.push(Buffer.from(piece));
    const bytes = Buffer.concat(pieces);
    assert.equal(bytes.length, size);
    assert.equal(`sha256:${createHash('sha256').update(bytes).digest('hex')}`, checksum);
    return bytes;
  }

  /**
   * A cut that is planned; one of a task that was deleted, since a crash may come before the removal; or one that was
   * given up because the store failed, and may have failed to remove it as well. What is given up as lost is not there.
   */
  allow({ state, given_up, cause, error_code, file_name }: Row): void {
    const storeFailed = given_up === 1 && error_code === STORE_REFUSED;
    if (state === 2 || cause === 'task deleted' || storeFailed) this.#allowed.add(baseOf(file_name));
  }

  async auditBuckets(): Promise<void> {
    const found = new Set(await this.#rig.keys('bucket'));
    for (const key of this.#expected) assert.ok(found.has(key), `${key} is missing`);
    for (const key of found) {
      const allowed = this.#allowed.has(baseOf(key.slice(key.lastIndexOf('/') + 1)));
      assert.ok(this.#expected.has(key) || allowed, `${key} is in no committed row`);
    }
  }
}

const STORE_REFUSED = 'DIS.4310';
