import assert from 'node:assert/strict';
import test from 'node:test';
import { LIMITS } from '../../../test/support/dump-rig.ts';
import { isDomainError } from '../../model/errors.ts';
import { retryDelay } from '../backoff.ts';
import { describeSettings } from './describe-settings.ts';
import { parseSettings, parseTaskName } from './parse-settings.ts';
import {
  parseStoredSettings,
  PARTITION_FORMATS,
  stringifySettings,
  TIMESTAMP_FORMATS,
  type DumpDescriptor,
  type RecordForm,
} from './settings.ts';

const MINIMAL: DumpDescriptor = { task_name: 'archive', obs_bucket_path: 'bucket' };

const SCHEMA = '{"type":"record","name":"r","fields":[{"name":"t","type":"string"},{"name":"n","type":"long"}]}';
const BLOB: RecordForm = { dataType: 'BLOB', dataSchema: undefined, csvDelimiter: ',' };
const JSON_FORM: RecordForm = { ...BLOB, dataType: 'JSON' };
const CSV_FORM: RecordForm = { dataType: 'CSV', dataSchema: SCHEMA, csvDelimiter: ';' };
const DAILY: Partial<DumpDescriptor> = { partition_format: 'yyyy/MM/dd' };

const parse = (more: Partial<DumpDescriptor>, form = BLOB) =>
  parseSettings({ ...MINIMAL, ...more }, { limits: LIMITS, minDeliverInterval: 30 }, form);

function refuses(
  more: Partial<DumpDescriptor>,
  kind: 'InvalidBody' | 'UnsupportedDestination' | 'InvalidSchema' = 'InvalidBody',
  form = BLOB,
  reason = /\[/,
): void {
  assert.throws(
    () => parse(more, form),
    (error) => isDomainError(error, kind) && reason.test(error.message),
    JSON.stringify(more),
  );
}

test('what is not given has the defaults of the API', () => {
  const expected = {
    agencyName: undefined,
    bucket: 'bucket',
    prefix: '',
    partitionFormat: '',
    deliverSeconds: 300,
    deliverMegabytes: undefined,
    delimiter: '\n',
    fileType: 'text',
    compression: 'none',
    csvHeader: true,
    form: { dataType: 'BLOB', dataSchema: undefined, csvDelimiter: ',' },
    ownSchema: undefined,
    recordTime: undefined,
    timeZone: 'UTC',
    pathTemplate: undefined,
    idleSeconds: undefined,
    mergeMegabytes: undefined,
    manifest: false,
    latenessSeconds: 0,
    holdRetention: false,
    consumerStrategy: 'LATEST',
    retrySeconds: undefined,
  };
  assert.deepEqual(parse({}), expected);
  const nothing = { agency_name: null, file_prefix: null, record_delimiter: null, retry_duration: null };
  assert.deepEqual(parse({ ...nothing, deliver_time_interval: null, processing_schema: null }), expected);
});

test('both ends of each range are taken, one beyond is refused', () => {
  for (const good of [30, 900]) assert.equal(parse({ deliver_time_interval: good }).deliverSeconds, good);
  for (const bad of [29, 901, 30.5]) refuses({ deliver_time_interval: bad });
  for (const good of [1, 300]) assert.equal(parse({ deliver_size_interval: good }).deliverMegabytes, good);
  for (const bad of [0, 301]) refuses({ deliver_size_interval: bad });
  for (const good of [1, 7200, '1', '7200']) assert.equal(parse({ retry_duration: good }).retrySeconds, Number(good));
  for (const never of [0, '0', '']) assert.equal(parse({ retry_duration: never }).retrySeconds, undefined);
  for (const bad of [-1, 7201, '7201', '-1', 'x', '1.5', 1.5]) refuses({ retry_duration: bad });
  assert.equal(parseTaskName({ ...MINIMAL, task_name: 'a'.repeat(64) }, LIMITS).length, 64);
  for (const bad of ['a'.repeat(65), '', 'a b', 'a.b', 'ä']) {
    assert.throws(() => parseTaskName({ ...MINIMAL, task_name: bad }, LIMITS));
  }
});

test('file_prefix is single-slashed names, at most 50 characters', () => {
  for (const good of ['', 'a', 'a/b_1/C', 'a/', 'x'.repeat(50)])
    assert.equal(parse({ file_prefix: good }).prefix, good);
  for (const bad of ['/', '/a', 'a//b', 'a//', '..', 'a/../b', 'a b', 'a-b', 'x'.repeat(51)])
    refuses({ file_prefix: bad });
});

test('delimiters, formats and strategies are those of the lists', () => {
  for (const same of [',', ';', '|', '\n', '']) assert.equal(parse({ record_delimiter: same }).delimiter, same);
  assert.equal(parse({ record_delimiter: 'NULL' }).delimiter, '');
  for (const bad of ['null', '\\n', ' ', '\r\n', 'toString']) refuses({ record_delimiter: bad });
  for (const good of PARTITION_FORMATS) assert.equal(parse({ partition_format: good }).partitionFormat, good);
  for (const bad of ['yyyy/dd', 'YYYY', 'yyyy/']) refuses({ partition_format: bad });
  assert.equal(parse({ consumer_strategy: 'TRIM_HORIZON' }).consumerStrategy, 'TRIM_HORIZON');
  for (const bad of ['latest', 'AT_TIMESTAMP']) refuses({ consumer_strategy: bad });
  refuses({ obs_bucket_path: '' });
  refuses({ agency_name: 'a'.repeat(65) });
});

test('what would change the files and is not done is refused, not ignored', () => {
  const unsupported: Partial<DumpDescriptor>[] = [
    { destination_type: 'DLI' },
    { destination_file_type: 'carbon' },
    { destination_file_type: 'TEXT' },
    { deliver_data_type: 'x' },
  ];
  for (const more of unsupported) refuses(more, 'UnsupportedDestination');
  parse({ destination_type: 'OBS', destination_file_type: 'text', compression_format: '', deliver_data_type: '' });
});

test('csv is made of JSON with a schema, parquet of JSON and CSV, text of anything', () => {
  const schema = { data_schema: SCHEMA };
  for (const form of [BLOB, JSON_FORM, CSV_FORM]) assert.equal(parse({}, form).fileType, 'text');
  const csv = parse({ destination_file_type: 'csv', ...schema }, JSON_FORM);
  assert.deepEqual([csv.fileType, csv.ownSchema, csv.form.dataSchema], ['csv', SCHEMA, SCHEMA]);
  parse({ destination_file_type: 'csv' }, { ...JSON_FORM, dataSchema: SCHEMA });
  const refusesFiles = (type: string, form: RecordForm, reason: RegExp) =>
    refuses({ destination_file_type: type }, 'UnsupportedDestination', form, reason);
  refusesFiles('csv', JSON_FORM, /\[csv\]\[needs a data_schema\]/);
  refusesFiles('csv', CSV_FORM, /\[needs a stream of data_type JSON\]/);
  refusesFiles('csv', BLOB, /\[needs a stream of data_type JSON\]/);
  for (const form of [JSON_FORM, CSV_FORM, { ...CSV_FORM, dataSchema: undefined }]) {
    assert.deepEqual(parse({ destination_file_type: 'parquet' }, form).form, form);
  }
  refusesFiles('parquet', BLOB, /\[needs a stream of data_type JSON or CSV\]/);
});

test('compressions are those of the type of file', () => {
  const type = (destination_file_type: string, compression_format?: string) =>
    parse(
      { destination_file_type, compression_format: compression_format ?? null, data_schema: null },
      {
        ...JSON_FORM,
        dataSchema: SCHEMA,
      },
    ).compression;
  for (const same of ['none', 'gzip', 'zstd']) {
    for (const each of ['text', 'csv', 'parquet']) assert.equal(type(each, same), same);
  }
  assert.equal(type('parquet', 'snappy'), 'snappy');
  assert.deepEqual([type('text'), type('csv', ''), type('parquet', '')], ['none', 'none', 'snappy']);
  refuses({ compression_format: 'snappy' }, 'UnsupportedDestination', BLOB, /text files can have none, gzip, zstd/);
  refuses(
    { destination_file_type: 'csv', compression_format: 'snappy', data_schema: SCHEMA },
    'UnsupportedDestination',
    JSON_FORM,
  );
  for (const bad of ['zip', 'lz4', 'GZIP']) {
    for (const each of ['text', 'parquet']) {
      refuses({ destination_file_type: each, compression_format: bad }, 'UnsupportedDestination', JSON_FORM);
    }
  }
});

test('csv_header and data_schema are for files that have rows', () => {
  const csv = { destination_file_type: 'csv', data_schema: SCHEMA };
  assert.equal(parse(csv, JSON_FORM).csvHeader, true);
  assert.equal(parse({ ...csv, csv_header: false }, JSON_FORM).csvHeader, false);
  assert.equal(parse({ csv_header: true }).csvHeader, true);
  refuses({ csv_header: false });
  refuses({ csv_header: false, destination_file_type: 'parquet' }, 'InvalidBody', JSON_FORM, /\[csv_header\]/);
  for (const form of [BLOB, JSON_FORM, CSV_FORM])
    refuses({ data_schema: SCHEMA }, 'InvalidBody', form, /\[data_schema\]/);
  assert.equal(parse({ data_schema: SCHEMA, path_template: '{$.t}' }, CSV_FORM).ownSchema, SCHEMA);
  assert.equal(parse({ data_schema: '' }).ownSchema, undefined);
});

test('processing_schema names a member, its type, and the format of text', () => {
  const own = (processing_schema: DumpDescriptor['processing_schema'], form = JSON_FORM) =>
    parse({ ...DAILY, processing_schema: processing_schema ?? null }, form).recordTime;
  const name = { timestamp_name: 't' };
  assert.deepEqual(own({ ...name, timestamp_type: 'Timestamp' }), { field: 't', format: undefined });
  assert.deepEqual(own({ ...name, timestamp_type: 'Timestamp', timestamp_format: '' }), {
    field: 't',
    format: undefined,
  });
  for (const format of TIMESTAMP_FORMATS) {
    const given = { timestamp_name: 'a.b.c', timestamp_type: 'String', timestamp_format: format };
    assert.deepEqual(own(given), { field: 'a.b.c', format });
  }
  own({ ...name, timestamp_type: 'Timestamp' }, CSV_FORM);
  for (const nothing of [null, {}, { timestamp_name: '', timestamp_type: null }]) assert.equal(own(nothing), undefined);

  const wrong: [DumpDescriptor['processing_schema'], RegExp][] = [
    [{ timestamp_type: 'Timestamp' }, /timestamp_name/],
    [{ timestamp_name: 'a..b', timestamp_type: 'Timestamp' }, /timestamp_name/],
    [{ timestamp_name: '.a', timestamp_type: 'Timestamp' }, /timestamp_name/],
    [{ timestamp_name: 'x'.repeat(257), timestamp_type: 'Timestamp' }, /timestamp_name/],
    [name, /timestamp_type/],
    [{ ...name, timestamp_type: 'timestamp' }, /timestamp_type/],
    [{ ...name, timestamp_type: 'String' }, /timestamp_format/],
    [{ ...name, timestamp_type: 'String', timestamp_format: 'yyyy-MM-dd' }, /timestamp_format/],
    [{ ...name, timestamp_type: 'Timestamp', timestamp_format: TIMESTAMP_FORMATS[0] }, /timestamp_format/],
  ];
  for (const [processing_schema, reason] of wrong) {
    refuses({ ...DAILY, processing_schema: processing_schema! }, 'InvalidBody', JSON_FORM, reason);
  }
  own({ timestamp_name: 'x'.repeat(256), timestamp_type: 'Timestamp' });
  const good = { processing_schema: { ...name, timestamp_type: 'Timestamp' } };
  refuses({ ...DAILY, ...good }, 'InvalidBody', BLOB, /needs a stream of data_type JSON or CSV/);
  const numbered = { ...CSV_FORM, dataSchema: undefined };
  refuses({ ...DAILY, ...good }, 'InvalidBody', numbered, /\[processing_schema\]\[must name columns .* not t\]/);
  own({ timestamp_name: 'c12', timestamp_type: 'Timestamp' }, numbered);
  own({ timestamp_name: 'n', timestamp_type: 'Timestamp' }, CSV_FORM);
  const other = { processing_schema: { timestamp_name: 'c1', timestamp_type: 'Timestamp' } };
  refuses({ ...DAILY, ...other }, 'InvalidBody', CSV_FORM, /\[must name columns of data_schema, which has no c1\]/);
  refuses(good, 'InvalidBody', JSON_FORM, /\[processing_schema\]\[needs time directories/);
});

test('path_template stands instead of partition_format', () => {
  const template = (path_template: string, form = BLOB) => parse({ path_template }, form).pathTemplate;
  assert.equal(template('{key}/{partition}/{yyyy}'), '{key}/{partition}/{yyyy}');
  assert.equal(template(''), undefined);
  assert.equal(template('c={$.a.b}', JSON_FORM), 'c={$.a.b}');
  assert.equal(template('c={$.t}', CSV_FORM), 'c={$.t}');
  refuses({ path_template: '{$.a}' }, 'InvalidBody', BLOB, /needs a stream of data_type/);
  refuses({ path_template: '{$.a}' }, 'InvalidBody', CSV_FORM, /\[path_template\]\[must name columns of data_schema/);
  refuses({ path_template: '{$.t}' }, 'InvalidBody', { ...CSV_FORM, dataSchema: undefined }, /\[path_template\]\[must/);
  refuses({ path_template: '{yyyy}', ...DAILY }, 'InvalidBody', BLOB, /cannot go together/);
  refuses({ path_template: '/{yyyy}' });
});

test('a schema that no columns can be made of is refused where it is needed', () => {
  for (const bad of ['{', '{}', '"string"', '{"type":"record","name":"r","fields":[{"name":"t","type":"nothing"}]}']) {
    refuses({ destination_file_type: 'parquet', data_schema: bad }, 'InvalidSchema', JSON_FORM);
    refuses({ destination_file_type: 'csv' }, 'InvalidSchema', { ...JSON_FORM, dataSchema: bad });
    refuses({ path_template: '{$.t}' }, 'InvalidSchema', { ...CSV_FORM, dataSchema: bad });
    parse({ path_template: '{key}' }, { ...CSV_FORM, dataSchema: bad });
    parse({ destination_file_type: 'parquet', data_schema: SCHEMA }, { ...JSON_FORM, dataSchema: bad });
  }
});

test('what time directories are for needs them', () => {
  const later: Partial<DumpDescriptor>[] = [{ time_zone: 'Asia/Shanghai' }, { merge_size: 1 }, { manifest: true }];
  for (const more of later) {
    for (const where of [DAILY, { path_template: 'dt={yyyy}' }]) parse({ ...where, ...more });
    refuses(more, 'InvalidBody', BLOB, /needs time directories/);
    refuses({ ...more, path_template: '{key}' }, 'InvalidBody', BLOB, /needs time directories/);
  }
  parse({ time_zone: 'UTC', manifest: false });
  assert.equal(parse({ ...DAILY, time_zone: 'europe/berlin' }).timeZone, 'Europe/Berlin');
  for (const bad of ['Mars', 'UTC+8', ' ']) refuses({ ...DAILY, time_zone: bad }, 'InvalidBody', BLOB, /\[time_zone\]/);
  for (const good of [1, 1024]) assert.equal(parse({ ...DAILY, merge_size: good }).mergeMegabytes, good);
  for (const bad of [0, 1025, 1.5]) refuses({ ...DAILY, merge_size: bad });
  const byArrival = { path_template: 'dt={yyyy}' };
  for (const good of [0, 86_400]) {
    assert.equal(parse({ ...byArrival, manifest: true, lateness_interval: good }).latenessSeconds, good);
    parse({ ...byArrival, merge_size: 1, lateness_interval: good });
  }
  for (const bad of [-1, 86_401]) refuses({ ...byArrival, manifest: true, lateness_interval: bad });
  refuses({ ...byArrival, lateness_interval: 1 }, 'InvalidBody', BLOB, /\[needs manifest or merge_size/);
  parse({ ...DAILY, manifest: true, lateness_interval: 0 });
  const byPlan = { ...DAILY, manifest: true, lateness_interval: 1 };
  refuses(byPlan, 'InvalidBody', BLOB, /\[lateness_interval\]\[needs processing_schema or path_template/);
});

test('a file may be cut by silence, not later than by its interval', () => {
  for (const good of [1, 60]) {
    assert.equal(parse({ deliver_time_interval: 60, deliver_idle_interval: good }).idleSeconds, good);
  }
  for (const bad of [0, 61, 1.5]) refuses({ deliver_time_interval: 60, deliver_idle_interval: bad });
  assert.equal(parse({ hold_retention: true }).holdRetention, true);
});

test('settings survive their row and are shown as they were given', () => {
  const given = {
    agency_name: 'agency',
    obs_bucket_path: 'bucket',
    file_prefix: 'in/',
    partition_format: 'yyyy/MM',
    deliver_time_interval: 60,
    deliver_size_interval: 5,
    consumer_strategy: 'TRIM_HORIZON',
    destination_file_type: 'text',
    record_delimiter: '|',
    retry_duration: 9,
  };
  const stored = parseStoredSettings(stringifySettings(parse(given)));
  assert.deepEqual(describeSettings(stored), given);
  assert.deepEqual(describeSettings(parseStoredSettings(stringifySettings(parse({})))), {
    obs_bucket_path: 'bucket',
    file_prefix: '',
    partition_format: '',
    deliver_time_interval: 300,
    consumer_strategy: 'LATEST',
    destination_file_type: 'text',
    record_delimiter: '\n',
    retry_duration: 0,
  });
});

test('settings beyond the API are told where they are not the defaults, and make the same settings again', () => {
  const given: Partial<DumpDescriptor>[] = [
    {
      ...DAILY,
      destination_file_type: 'parquet',
      compression_format: 'zstd',
      processing_schema: { timestamp_name: 'a.t', timestamp_type: 'String', timestamp_format: 'dd/MM/yyyy HH:mm:ss' },
      data_schema: SCHEMA,
      time_zone: 'Asia/Shanghai',
      deliver_idle_interval: 5,
      merge_size: 128,
      manifest: true,
      lateness_interval: 60,
      hold_retention: true,
    },
    { destination_file_type: 'csv', data_schema: SCHEMA, csv_header: false, path_template: 'a={$.t}/{yyyy}' },
    { ...DAILY, processing_schema: { timestamp_name: 't', timestamp_type: 'Timestamp' }, compression_format: 'gzip' },
  ];
  for (const more of given) {
    const settings = parse(more, JSON_FORM);
    const told = describeSettings(settings) as Partial<DumpDescriptor>;
    for (const [member, value] of Object.entries(more)) assert.deepEqual(told[member as keyof typeof told], value);
    assert.deepEqual(parse(told, JSON_FORM), settings);
    assert.deepEqual(describeSettings(parseStoredSettings(stringifySettings(settings))), told);
  }
});

test('a version from before late records needed places of their own waits for none', () => {
  const stored = stringifySettings({ ...parse({ ...DAILY, manifest: true }), latenessSeconds: 60 });
  assert.equal(parseStoredSettings(stored).latenessSeconds, 0);
  const byArrival = parse({ path_template: 'dt={yyyy}', manifest: true, lateness_interval: 60 });
  assert.equal(parseStoredSettings(stringifySettings(byArrival)).latenessSeconds, 60);
});

test('the pause before a try grows, is spread, and stays within its bounds', () => {
  const backoff = { min: 1000, max: 10_000 };
  for (const fraction of [0, 0.5, 0.999]) {
    for (let failures = 1; failures < 2000; failures += 1) {
      const pause = retryDelay(failures, backoff, fraction);
      assert.ok(pause >= 1000 && pause < 10_000);
    }
  }
  assert.equal(retryDelay(1, backoff, 0.5), 1500);
  assert.equal(retryDelay(2, backoff, 0.5), 2500);
  assert.equal(retryDelay(9, backoff, 0.5), 5500);
  assert.equal(retryDelay(3, { min: 5000, max: 1000 }, 0.5), 5000);
});
