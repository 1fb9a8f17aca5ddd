/** Files of cuts, and what becomes of them when something goes wrong, in this thread and in a converter. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import {
  audit,
  BASE,
  BY_COUNTRY,
  EIGHT,
  FORMS,
  inThisThread,
  json,
  numbers,
  records,
  write,
} from '../../../test/support/cut-rig.ts';
import { ListSource } from '../../../test/support/list-source.ts';
import { MemoryStore } from '../../../test/support/memory-store.ts';
import { CONVERSION_LIMITS } from '../convert/conversion.ts';
import { ConverterPool } from '../convert/converter-pool.ts';
import { LostRecords } from './log-source.ts';
import { FailedAttempt } from './write-cut.ts';

const pool = new ConverterPool({ threads: 1, limits: { ...CONVERSION_LIMITS, paths: 100, heldBytes: 200 } });
after(() => pool.close());

test('text in one place is a copy of the payloads', async () => {
  const { cut, store } = await write(new ListSource(records('a', '{', 'ccc')));
  const files = audit(cut, store);
  const key = `in/2026/11/${BASE}`;
  assert.deepEqual([...files], [[key, Buffer.from('a\n{\nccc\n')]]);
  assert.deepEqual(
    { ...cut, files: cut.files.map(({ checksum, etag, ...file }) => (assert.equal(checksum, `sha256:${etag}`), file)) },
    {
      next: 3,
      columns: undefined,
      deadLetters: undefined,
      files: [
        {
          fileName: BASE,
          key,
          path: '2026/11',
          period: { start: Date.UTC(2026, 10), end: Date.UTC(2026, 11) },
          records: 3,
          firstRecord: 0,
          lastRecord: 2,
          bytes: 8,
        },
      ],
    },
  );
});

for (const [compression, extension, decompress] of [
  ['gzip', '.gz', gunzipSync],
  ['zstd', '.zst', zstdDecompressSync],
] as const) {
  for (const [where, settings, path] of [
    ['in one place', {}, '2026/11/'],
    ['where the records say', BY_COUNTRY, 'c=d/'],
  ] as const) {
    test(`${compression} text ${where} says so by name and content encoding`, async () => {
      const texts = Array.from({ length: 50 }, (_, index) => json('d', index));
      const { cut, store } = await write(new ListSource(records(...texts)), { settings: { ...settings, compression } });
      audit(cut, store);
      const [key, kept] = [...store.objects][0]!;
      assert.equal(key, `bucket/in/${path}${BASE}${extension}`);
      assert.equal(kept.contentEncoding, compression);
      assert.equal(decompress(kept.bytes).toString(), texts.map((text) => `${text}\n`).join(''));
    });
  }
}

for (const [name, settings] of Object.entries(FORMS)) {
  for (const [where, converters] of [
    ['in this thread', inThisThread({ heldBytes: 100 })],
    ['in a converter', pool],
  ] as const) {
    test(`records that are gone in the middle end the cut before them: ${name}, ${where}`, async () => {
      const source = new ListSource(EIGHT, [2]);
      source.onBatch = (_walk, batch) => batch === 0;
      const { cut, store } = await write(source, { settings, converters });
      audit(cut, store);
      assert.equal(cut.next, 4);
      assert.equal(
        cut.files.reduce((sum, file) => sum + file.records, 0),
        4,
      );
    });

    test(`records that are gone from the first on are told as such: ${name}, ${where}`, async () => {
      const source = new ListSource(EIGHT, [2]);
      source.onBatch = () => {
        throw new LostRecords(3, new Error('expired'));
      };
      await assert.rejects(
        write(source, { settings, converters }),
        (error) => error instanceof LostRecords && error.to === 3,
      );
    });

    test(`a source that fails midway fails the attempt, which tells how far it came: ${name}, ${where}`, async () => {
      const source = new ListSource(EIGHT, [2]);
      const cause = new Error('the disk is gone');
      source.onBatch = (_walk, batch) => {
        if (batch === 1) throw cause;
        return true;
      };
      const store = new MemoryStore();
      await assert.rejects(
        write(source, { settings, converters, store }),
        (error) => error instanceof FailedAttempt && error.cause === cause && error.recordsRead === 4,
      );
      assert.equal(store.running, 0);
      source.onBatch = () => true;
      audit((await write(source, { settings, converters, store })).cut, store);
    });

    test(`the first put that fails stops the others, and the next attempt makes all good: ${name}, ${where}`, async () => {
      for (let failing = 1; failing <= (settings.pathTemplate === undefined ? 1 : 5); failing += 1) {
        const store = new MemoryStore();
        let puts = 0;
        store.onPut = () => {
          puts += 1;
          if (puts === failing) throw new Error('503 Slow Down');
        };
        await assert.rejects(write(new ListSource(EIGHT), { settings, converters, store }), /503 Slow Down/);
        assert.equal(store.running, 0);
        audit((await write(new ListSource(EIGHT), { settings, converters, store })).cut, store);
      }
    });

    test(`an abort ends it, whatever it waits for: ${name}, ${where}`, async () => {
      for (const waiting of ['source', 'store'] as const) {
        const abort = new AbortController();
        const source = new ListSource(EIGHT, [2]);
        const store = new MemoryStore();
        const reason = new Error('stop');
        const stop = () => {
          setImmediate(() => abort.abort(reason));
          return new Promise<never>((_, reject) => abort.signal.addEventListener('abort', () => reject(reason)));
        };
        if (waiting === 'store') store.onPut = stop;
        else source.onBatch = (_walk, batch) => (batch === 1 ? stop() : true);
        await assert.rejects(
          write(source, { settings, converters, store, signal: abort.signal }),
          (error) => error instanceof FailedAttempt && error.cause === reason,
        );
        assert.equal(store.running, 0);
      }
    });
  }
}

test('records that the survey has seen and a further walk has not fail the attempt', async () => {
  for (const heldBytes of [0, 60]) {
    const source = new ListSource(EIGHT, [2]);
    source.onBatch = (walk, batch) => walk === 0 || batch === 0;
    const converters = inThisThread({ heldBytes });
    await assert.rejects(write(source, { settings: BY_COUNTRY, converters }), /gone while the cut was written/);
    source.onBatch = (walk) => {
      if (walk > 2) throw new LostRecords(5, new Error('expired'));
      return true;
    };
    await assert.rejects(write(source, { settings: BY_COUNTRY, converters }), LostRecords);
  }
});

test('few records are read once, many once for every group of paths', async () => {
  for (const [heldBytes, walks] of [
    [10_000, 1],
    [70, 4],
    [0, 6],
  ] as const) {
    const source = new ListSource(EIGHT);
    await write(source, { settings: BY_COUNTRY, converters: inThisThread({ heldBytes }) });
    assert.equal(source.walks, walks, `${heldBytes} bytes`);
  }
});

test('a cut ends before the record whose path is one too many, and not a record earlier', async () => {
  for (const [paths, next] of [
    [5, 8],
    [4, 6],
    [1, 1],
  ] as const) {
    const { cut, store } = await write(new ListSource(EIGHT), {
      settings: BY_COUNTRY,
      converters: inThisThread({ paths }),
    });
    audit(cut, store);
    assert.deepEqual([cut.next, cut.files.length], [next, paths]);
  }
});

test('a cut ends before the record that is one too many to remember', async () => {
  for (const [most, next] of [
    [8, 8],
    [7, 7],
    [1, 1],
  ] as const) {
    const converters = inThisThread({ records: most });
    assert.equal((await write(new ListSource(EIGHT), { settings: BY_COUNTRY, converters })).cut.next, next);
  }
});

test('several small files are stored at a time, but not all of them', async () => {
  const store = new MemoryStore();
  const many = records(...Array.from({ length: 60 }, (_, index) => json(`c${index}`, index)));
  store.onRead = () => new Promise((resolve) => setTimeout(resolve, 1));
  for (const converters of [pool, inThisThread()]) {
    store.mostRunning = 0;
    await write(new ListSource(many), { settings: BY_COUNTRY, converters, store });
    assert.equal(store.mostRunning, 8);
  }
});

test('a cut of dead letters alone has no file; a cut without records is an error', async () => {
  for (const settings of Object.values(FORMS)) {
    const { cut, store } = await write(new ListSource(records('{', 'x')), { settings });
    assert.deepEqual(cut.files, []);
    assert.deepEqual(numbers(audit(cut, store).get(`in/_dead_letters/${BASE}.jsonl`)), [0, 1]);
    assert.equal(store.objects.get(`bucket/in/_dead_letters/${BASE}.jsonl`)!.contentType, 'application/x-ndjson');
    await assert.rejects(write(new ListSource([]), { settings }), FailedAttempt);
  }
  await assert.rejects(write(new ListSource([])), FailedAttempt);
});

test('dead letters are written while they are found, however many', async () => {
  const bad = records(...Array.from({ length: 300 }, () => 'x'.repeat(20_000)));
  for (const settings of Object.values(FORMS)) {
    const source = new ListSource(bad, [30]);
    const store = new MemoryStore();
    let begun = -1;
    store.onPut = () => {
      begun = begun < 0 ? source.walks : begun;
    };
    const { cut } = await write(source, { settings, store });
    assert.equal(cut.deadLetters?.records, 300);
    assert.equal(numbers(audit(cut, store).get(cut.deadLetters.key)).length, 300);
  }
});

test('columns that were found are told when there are more than before', async () => {
  const settings = { fileType: 'csv' } as const;
  const first = await write(new ListSource(records('{"a":1}', '{"b":null}')), { settings });
  assert.deepEqual(JSON.parse(first.cut.columns!), {
    columns: [{ name: 'a', type: { kind: 'double' }, nullable: true }],
    foundIn: 'JSON',
  });
  const columns = first.cut.columns;
  const same = await write(new ListSource(records('{"a":2}', '{}')), { settings, columns: columns! });
  assert.equal(same.cut.columns, undefined);
  assert.equal(String(audit(same.cut, same.store).get(`in/2026/11/${BASE}.csv`)), 'a\n2\n""\n');
  const more = await write(new ListSource(records('{"b":"x"}', '{"a":"y"}')), { settings, columns: columns! });
  assert.match(more.cut.columns!, /"a".*"b"/);
  assert.equal(more.cut.deadLetters?.records, 1);
  // Nothing is known of what it could be a row of.
  assert.equal((await write(new ListSource(records('{}', '{"a":null}')), { settings })).cut.deadLetters?.records, 2);
});
