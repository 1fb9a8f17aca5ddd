import assert from 'node:assert/strict';
import test from 'node:test';
import { LIMITS } from '../../test/support/dump-rig.ts';
import { isDomainError } from '../model/errors.ts';
import { retryDelay } from './backoff.ts';
import {
  describeSettings,
  parseSettings,
  parseStoredSettings,
  parseTaskName,
  PARTITION_FORMATS,
  stringifySettings,
  type DumpDescriptor,
} from './settings.ts';

const MINIMAL: DumpDescriptor = { task_name: 'archive', obs_bucket_path: 'bucket' };

const parse = (more: Partial<DumpDescriptor>) =>
  parseSettings({ ...MINIMAL, ...more }, { limits: LIMITS, minDeliverInterval: 30 });

function refuses(more: Partial<DumpDescriptor>, kind: 'InvalidBody' | 'UnsupportedDestination' = 'InvalidBody'): void {
  assert.throws(
    () => parse(more),
    (error) => isDomainError(error, kind),
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
    { destination_file_type: 'parquet' },
    { destination_file_type: 'carbon' },
    { compression_format: 'gzip' },
    { deliver_data_type: 'x' },
    { processing_schema: { timestamp_name: 't' } },
  ];
  for (const more of unsupported) refuses(more, 'UnsupportedDestination');
  parse({ destination_type: 'OBS', destination_file_type: 'text', compression_format: '', deliver_data_type: '' });
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
