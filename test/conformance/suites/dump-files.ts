/** What files are made of: compressed text, CSV and Parquet, and what becomes of records that fit none of it. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { parquetReadObjects } from 'hyparquet';
import { DisClient, eventually, toBase64, type LogEntry } from '../../support/dis-client.ts';
import { expectJson } from '../../support/expect.ts';
import type { StoreTarget } from '../../support/on-both-stores.ts';

interface Entry extends LogEntry {
  readonly path: string;
  readonly cutLogId: number;
  readonly deadLetterKey: string | null;
  readonly deadLetterChecksum: string | null;
}

interface Delivered {
  readonly stream: string;
  /** Entries of delivered cuts, the oldest first. */
  readonly log: readonly Entry[];
  /** Bytes of each file, in the order of the log. */
  readonly files: readonly Buffer[];
  /** Lines of the dead-letter objects. */
  readonly dead: readonly { readonly sequence_number: string; readonly reason: string; readonly payload?: string }[];
}

const SCHEMA = JSON.stringify({
  type: 'record',
  name: 'order',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'note', type: ['null', 'string'], default: null },
    { name: 'price', type: { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 } },
    { name: 'tags', type: { type: 'array', items: 'string' }, default: [] },
  ],
});

/** The server takes intervals from one second on. */
export function runDumpFilesConformance(getTarget: () => StoreTarget): void {
  describe('files', { concurrency: 5 }, () => {
    const prefix = `f${randomBytes(4).toString('hex')}`;
    let target: StoreTarget;
    let dis: DisClient;

    before(async () => {
      target = getTarget();
      dis = await DisClient.login(target);
    });
    after(() => dis.close());

    async function begin(name: string, stream: object, settings: object): Promise<string> {
      const streamName = `${prefix}-${name}`;
      await dis.createStream(streamName, 1, stream);
      await dis.addTask(streamName, 'task', {
        obs_bucket_path: target.bucket,
        file_prefix: `${prefix}_${name}`.replaceAll('-', '_'),
        deliver_time_interval: 1,
        ...settings,
      });
      return streamName;
    }

    const put = (stream: string, texts: readonly (string | Buffer)[]) =>
      dis.store(
        stream,
        texts.map((data) => ({ data: toBase64(data) })),
      );

    /** Waits until `records` of a stream are delivered; every file and dead-letter object is held against the log. */
    async function finish(stream: string, records: number): Promise<Delivered> {
      const taskId = await dis.taskId(stream, 'task');
      const log = await eventually(
        'all records are delivered',
        async () => (await dis.wholeLog(taskId)).filter(({ state }) => state === 0) as Entry[],
        (entries) => entries.reduce((sum, entry) => sum + entry.readRecordsNum, 0) === records,
      );
      const objects = new Map(await target.objects(`${stream.replaceAll('-', '_')}/`));
      const take = (key: string, checksum: string | null): Buffer => {
        const bytes = objects.get(key);
        assert.ok(bytes !== undefined, `${key} is missing`);
        assert.equal(checksum, `sha256:${createHash('sha256').update(bytes).digest('hex')}`);
        objects.delete(key);
        return bytes;
      };
      const dead = log.flatMap(({ deadLetterKey, deadLetterChecksum, deadLettersNum }) => {
        if (deadLetterKey === null) return [];
        const lines = take(deadLetterKey, deadLetterChecksum).toString().trimEnd().split('\n');
        assert.equal(lines.length, deadLettersNum);
        return lines.map((line) => JSON.parse(line) as Delivered['dead'][number]);
      });
      const named = log.filter(({ objectKey }) => objectKey !== '');
      const files = named.map(({ objectKey, checksum }) => take(objectKey, checksum));
      assert.deepEqual([...objects.keys()], [], 'every object is in the log');
      return { stream, log: named, files, dead };
    }

    const deliver = async (name: string, stream: object, settings: object, texts: readonly (string | Buffer)[]) => {
      const made = await begin(name, stream, settings);
      await put(made, texts);
      return finish(made, texts.length);
    };

    const rowsOf = async (file: Buffer | undefined): Promise<Record<string, unknown>[]> => {
      const copy = Uint8Array.from(file!).buffer;
      const compressors = {
        ZSTD: (bytes: Uint8Array) => zstdDecompressSync(bytes),
        GZIP: (bytes: Uint8Array) => gunzipSync(bytes),
      };
      return (await parquetReadObjects({ file: copy, compressors })) as Record<string, unknown>[];
    };

    for (const [compression_format, extension, decompress] of [
      ['gzip', 'gz', gunzipSync],
      ['zstd', 'zst', zstdDecompressSync],
    ] as const) {
      test(`text in ${compression_format}, the same in one place and where the records say`, async () => {
        const texts = Array.from({ length: 500 }, (_, index) => JSON.stringify({ index, to: 'x'.repeat(index) }));
        for (const [name, settings] of [
          ['plan', { partition_format: 'yyyy' }],
          ['said', { path_template: 'to={$.to}', data_type: 'JSON' }],
        ] as const) {
          const some = name === 'plan' ? texts : texts.slice(0, 30);
          const stream = await begin(
            `${extension}-${name}`,
            { data_type: 'JSON' },
            { compression_format, ...settings },
          );
          await put(stream, some);
          const { log, files, dead } = await finish(stream, some.length);
          assert.deepEqual(dead, []);
          for (const { transferFileName } of log)
            assert.match(transferFileName, new RegExp(`^[^.]+(\\.[^.]+){2}\\.\\d+(-\\d+)?\\.${extension}$`));
          const lines = files.flatMap((file) => decompress(file).toString().trimEnd().split('\n'));
          assert.deepEqual(lines, some);
        }
      });
    }

    test('CSV by the schema of the stream, with a header or without; what does not fit is a dead letter', async () => {
      const stream = { data_type: 'JSON', data_schema: SCHEMA };
      const texts = [
        '{"id":9007199254740993,"price":"1.50","note":"a,\\"b\\"\\nc"}',
        '{"id":1,"price":2,"tags":["x","y"],"more":1}',
        '{"id":"one","price":2}',
        '{"id":2}',
      ];
      const lines = ['9007199254740993,"a,""b""\nc",1.50,"[]"', '1,,2.00,"[""x"",""y""]"'];
      for (const csv_header of [undefined, false]) {
        const more = csv_header === undefined ? {} : { csv_header };
        const name = `csv_${csv_header ?? 'default'}`;
        const { log, files, dead } = await deliver(name, stream, { destination_file_type: 'csv', ...more }, texts);
        assert.match(log[0]!.transferFileName, /\.csv$/);
        const head = csv_header === false ? [] : ['id,note,price,tags'];
        assert.equal(files[0]!.toString(), [...head, ...lines, ''].join('\n'));
        assert.deepEqual(
          dead.map(({ sequence_number, payload }) => [sequence_number, payload]),
          [
            ['2', texts[2]],
            ['3', texts[3]],
          ],
        );
        assert.match(dead[0]!.reason, /^id: /);
        assert.match(dead[1]!.reason, /^price: /);
      }
    });

    for (const compression_format of ['none', 'snappy', 'gzip', 'zstd']) {
      test(`Parquet by the schema of the stream, ${compression_format}`, async () => {
        const stream = { data_type: 'JSON', data_schema: SCHEMA };
        const settings = { destination_file_type: 'parquet', compression_format };
        const texts = Array.from({ length: 300 }, (_, id) =>
          JSON.stringify({ id, price: id / 4, tags: id % 2 ? ['odd'] : [] }),
        );
        const { log, files, dead } = await deliver(`parquet_${compression_format}`, stream, settings, texts);
        assert.deepEqual(dead, []);
        assert.match(log[0]!.transferFileName, /\.parquet$/);
        const rows = (await Promise.all(files.map(rowsOf))).flat();
        assert.deepEqual(
          rows,
          texts.map((_, id) => ({ id: BigInt(id), note: null, price: id / 4, tags: id % 2 ? ['odd'] : [] })),
        );
      });
    }

    test('Parquet of CSV records', async () => {
      const stream = {
        data_type: 'CSV',
        csv_properties: { delimiter: ';' },
        data_schema: SCHEMA.replace(/,\{"name":"tags".*\}\]/, ']'),
      };
      const texts = ['1;"a;b";2.25', '2;;0', 'x;y;z', '3;c'];
      const { files, dead } = await deliver('parquet_csv', stream, { destination_file_type: 'parquet' }, texts);
      assert.deepEqual((await Promise.all(files.map(rowsOf))).flat(), [
        { id: 1n, note: 'a;b', price: 2.25 },
        { id: 2n, note: null, price: 0 },
      ]);
      assert.deepEqual(
        dead.map(({ sequence_number }) => sequence_number),
        ['2', '3'],
      );
    });

    test('Parquet without a schema: columns are found, stay what they are, and later files have them all', async () => {
      const stream = await begin('found', { data_type: 'JSON' }, { destination_file_type: 'parquet' });
      await put(stream, ['{"a":1}', '{"a":"text"}', '{"a":2.5,"b":{"c":[true]}}']);
      const first = await finish(stream, 3);
      assert.deepEqual(
        (await Promise.all(first.files.map(rowsOf))).flat().map(({ a }) => a),
        [1, 2.5],
      );
      assert.deepEqual(
        first.dead.map(({ sequence_number }) => sequence_number),
        ['1'],
      );
      await put(stream, ['{"z":"new"}']);
      const both = await finish(stream, 4);
      const [row] = await rowsOf(both.files.at(-1));
      assert.deepEqual(
        Object.entries(row!).map(([name, value]) => [name, value ?? null]),
        [
          ['a', null],
          ['b', null],
          ['z', 'new'],
        ],
      );
    });

    test('many files of one cut: each has its entry, together they are the cut, and a cut of nothing else is dead letters', async () => {
      const stream = await begin(
        'many',
        { data_type: 'JSON' },
        { destination_file_type: 'parquet', path_template: 'n={$.n}' },
      );
      const texts = Array.from({ length: 400 }, (_, index) =>
        index % 10 === 9 ? '{' : JSON.stringify({ n: index % 37, index }),
      );
      await put(stream, texts);
      const { log, files, dead } = await finish(stream, texts.length);
      assert.equal(dead.length, 40);
      for (const [index, file] of files.entries()) {
        const entry = log[index]!;
        const rows = await rowsOf(file);
        assert.equal(entry.transferRecordsNum, rows.length);
        for (const { n } of rows) assert.equal(entry.path, `n=${String(n)}`);
        assert.equal(Number(entry.firstSequenceNumber), rows[0]!.index);
        assert.equal(Number(entry.lastSequenceNumber), rows.at(-1)!.index);
      }
      const found = (await Promise.all(files.map(rowsOf))).flat().map(({ index }) => index as number);
      const alive = texts.flatMap((text, index) => (text === '{' ? [] : [index]));
      assert.deepEqual(
        found.toSorted((a, b) => a - b),
        alive,
      );

      await put(stream, [Buffer.from([0xff]), '{']);
      const all = await finish(stream, texts.length + 2);
      assert.equal(all.files.length, files.length);
      assert.equal(all.dead.length, 42);
      const shown = await dis.showTask(stream, 'task');
      expectJson(shown);
      const [partition] = (shown.json as { partitions: { discard: number }[] }).partitions;
      assert.equal(partition?.discard, 42);
    });
  });
}
