/** What dump tasks make of records: types of files, schemas, directories by time and by members; each rule on both sides. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import type { Target } from '../../support/api-client.ts';
import { DisClient } from '../../support/dis-client.ts';
import { expectEmpty, expectError } from '../../support/expect.ts';

const SCHEMA = '{"type":"record","name":"r","fields":[{"name":"t","type":"string"},{"name":"n","type":"long"}]}';
const DAILY = { partition_format: 'yyyy/MM/dd' };
const OWN_TIME = { timestamp_name: 't', timestamp_type: 'Timestamp' };

export function runDumpSettingsConformance(getTarget: () => Target): void {
  describe('settings of dump tasks', () => {
    const prefix = `s${randomBytes(4).toString('hex')}`;
    const [blob, json, csv, told] = ['blob', 'json', 'csv', 'told'].map((name) => `${prefix}-${name}`) as [
      string,
      string,
      string,
      string,
    ];
    let dis: DisClient;

    before(async () => {
      dis = await DisClient.login(getTarget());
      await dis.createStream(blob);
      await dis.createStream(json, 1, { data_type: 'JSON' });
      await dis.createStream(csv, 1, { data_type: 'CSV' });
      await dis.createStream(told, 1, { data_type: 'JSON', data_schema: SCHEMA });
    });
    after(async () => {
      for (const stream of [blob, json, csv, told]) await dis.deleteStream(stream);
      dis.close();
    });

    const descriptor = (members: object) => ({ task_name: 'task', obs_bucket_path: 'bucket', ...members });

    /** Creates a task; resolves to what is told of it beyond the settings of a plain one. */
    async function accepted(stream: string, members: object): Promise<Record<string, unknown>> {
      expectEmpty(await dis.createTask(stream, descriptor(members)), 201);
      const { obs_destination_description: shown } = (await dis.showTask(stream, 'task')).json as {
        obs_destination_description: Record<string, unknown>;
      };
      // What is told makes the same settings again.
      expectEmpty(await dis.updateTask(stream, descriptor(shown)), 200);
      assert.deepEqual((await dis.showTask(stream, 'task')).json?.obs_destination_description, shown);
      expectEmpty(await dis.deleteTask(stream, 'task'), 204);
      const plain = ['obs_bucket_path', 'file_prefix', 'deliver_time_interval', 'consumer_strategy', 'retry_duration'];
      const told = ['record_delimiter', 'partition_format', 'destination_file_type'];
      return Object.fromEntries(
        Object.entries(shown).filter(
          ([member]) => !plain.includes(member) && (member in members || !told.includes(member)),
        ),
      );
    }
    const kept = async (stream: string, members: object) => assert.deepEqual(await accepted(stream, members), members);
    const refused = async (stream: string, members: object, message: RegExp, code = 'DIS.4300') =>
      expectError(await dis.createTask(stream, descriptor(members)), 400, code, message);

    test('types of files: text of everything, csv of JSON with a schema, parquet of JSON and CSV', async () => {
      for (const stream of [blob, json, csv]) await kept(stream, { destination_file_type: 'text' });
      await kept(told, { destination_file_type: 'csv' });
      await kept(json, { destination_file_type: 'csv', data_schema: SCHEMA });
      for (const stream of [json, csv, told]) await kept(stream, { destination_file_type: 'parquet' });
      await refused(json, { destination_file_type: 'csv' }, /\[csv\]\[needs a data_schema\]/, 'DIS.4200');
      for (const stream of [blob, csv]) {
        const settings = { destination_file_type: 'csv', data_schema: SCHEMA };
        await refused(stream, settings, /\[csv\]\[needs a stream of data_type JSON\]/, 'DIS.4200');
      }
      await refused(blob, { destination_file_type: 'parquet' }, /\[parquet\]\[needs a stream/, 'DIS.4200');
      for (const type of ['TEXT', 'orc']) {
        await refused(json, { destination_file_type: type }, /\[destination_file_type\]/, 'DIS.4200');
      }
      for (const type of ['carbon', 'CarbonData']) {
        await refused(json, { destination_file_type: type }, /^Retired by DIS.*\[destination_file_type\]/, 'DIS.4200');
      }
      await refused(json, { carbon_properties: { a: 'b' } }, /^Retired by DIS/, 'DIS.4200');
      await refused(json, { deliver_data_type: 'other' }, /\[deliver_data_type\]/, 'DIS.4200');
      // The published example of a Parquet task has a delimiter.
      await kept(json, { destination_file_type: 'parquet', record_delimiter: '|' });
    });

    test('compression_format: what the type of file can have', async () => {
      for (const destination_file_type of ['text', 'csv']) {
        const type = { destination_file_type };
        for (const compression_format of ['gzip', 'zstd']) await kept(told, { ...type, compression_format });
        assert.deepEqual(await accepted(told, { ...type, compression_format: 'none' }), type);
        await refused(told, { ...type, compression_format: 'snappy' }, /can have none, gzip, zstd/, 'DIS.4200');
      }
      const parquet = { destination_file_type: 'parquet' };
      for (const compression_format of ['none', 'gzip', 'zstd']) await kept(json, { ...parquet, compression_format });
      for (const same of ['snappy', '', null]) {
        assert.deepEqual(await accepted(json, { ...parquet, compression_format: same }), parquet);
      }
      for (const wrong of ['zip', 'lz4', 'GZIP']) {
        await refused(json, { compression_format: wrong }, /\[compression_format\]/, 'DIS.4200');
      }
    });

    test('csv_header and data_schema: for files of rows', async () => {
      const csvFiles = { destination_file_type: 'csv', data_schema: SCHEMA };
      await kept(json, { ...csvFiles, csv_header: false });
      assert.deepEqual(await accepted(json, { ...csvFiles, csv_header: true }), csvFiles);
      await refused(json, { csv_header: false }, /\[csv_header\]/);
      await refused(json, { data_schema: SCHEMA }, /\[data_schema\]\[is for/);
      await kept(csv, { data_schema: SCHEMA, path_template: '{$.t}' });
      for (const data_schema of ['{', '{}', '"string"', '{"type":"record","name":"r","fields":[]}']) {
        await refused(json, { destination_file_type: 'parquet', data_schema }, /\[/, 'DIS.4360');
      }
      for (const wrong of ['false', 1]) {
        await refused(json, { ...csvFiles, csv_header: wrong }, /\[obs_destination_descriptor\.csv_header\]/);
      }
    });

    test('processing_schema: a member, its type, and the format of text', async () => {
      const formats = ['yyyy/MM/dd', 'MM/dd/yyyy', 'dd/MM/yyyy', 'yyyy-MM-dd', 'MM-dd-yyyy', 'dd-MM-yyyy'];
      for (const format of formats) {
        const timestamp_format = `${format} HH:mm:ss`;
        const processing_schema = { timestamp_name: 'a.b', timestamp_type: 'String', timestamp_format };
        await kept(json, { ...DAILY, processing_schema });
      }
      await kept(json, { ...DAILY, processing_schema: OWN_TIME });
      await kept(csv, { ...DAILY, processing_schema: { ...OWN_TIME, timestamp_name: 'c2' } });
      await kept(csv, { destination_file_type: 'parquet', data_schema: SCHEMA, ...DAILY, processing_schema: OWN_TIME });
      await kept(json, { path_template: '{yyyy}', processing_schema: OWN_TIME });
      for (const nothing of [null, {}, { timestamp_name: '', timestamp_type: '', timestamp_format: null }]) {
        assert.deepEqual(await accepted(json, { ...DAILY, processing_schema: nothing }), DAILY);
      }
      const wrong: [object, RegExp][] = [
        [{ timestamp_name: '' }, /timestamp_name/],
        [{ timestamp_name: 'a..b' }, /timestamp_name/],
        [{ timestamp_name: 'x'.repeat(257) }, /timestamp_name/],
        [{ timestamp_type: null }, /timestamp_type/],
        [{ timestamp_type: 'Long' }, /timestamp_type/],
        [{ timestamp_type: 'String' }, /timestamp_format/],
        [{ timestamp_type: 'String', timestamp_format: 'yyyy-MM-dd' }, /timestamp_format/],
        [{ timestamp_format: 'yyyy-MM-dd HH:mm:ss' }, /timestamp_format/],
        [{ timestamp_name: 7 }, /\[obs_destination_descriptor\.processing_schema/],
      ];
      for (const [members, message] of wrong) {
        await refused(json, { ...DAILY, processing_schema: { ...OWN_TIME, ...members } }, message);
      }
      await kept(json, { ...DAILY, processing_schema: { ...OWN_TIME, timestamp_name: 'x'.repeat(256) } });
      await refused(blob, { ...DAILY, processing_schema: OWN_TIME }, /needs a stream of data_type JSON or CSV/);
      await refused(csv, { ...DAILY, processing_schema: OWN_TIME }, /without a data_schema they are c1/);
      await refused(json, { processing_schema: OWN_TIME }, /needs time directories/);
    });

    test('path_template: directories by what records say', async () => {
      const template = 'country={$.address.country}/dt={yyyy}-{MM}-{dd}/hour={HH}';
      await kept(json, { path_template: template });
      await kept(blob, { path_template: '{key}/{partition}/{yyyy}' });
      await kept(csv, { path_template: '{$.c1}' });
      await refused(blob, { path_template: template }, /needs a stream of data_type JSON or CSV/);
      await refused(csv, { path_template: template }, /without a data_schema they are c1/);
      await refused(json, { path_template: template, ...DAILY }, /\[path_template\]\[cannot go together/);
      const wrong = [
        ...['/a', 'a/', 'a//b', '..', 'a/../b', '_dead_letters', 'a/_b', '.a', 'a b', 'a%2F', 'ä', 'a\\b', 'a\u0000'],
        ...['{', '}', '{}', '{a}', '{$.}', '{$.a..b}', '{{key}}', '{MM}', '{yyyy}/{dd}', '{yyyy}{yyyy}', '{$.a}{$.b}'],
      ];
      for (const path_template of wrong) await refused(json, { path_template }, /\[path_template\]/);
      const values = (count: number) => Array.from({ length: count }, (_, i) => `{$.m${i}}`).join('/');
      await kept(json, { path_template: values(8) });
      await refused(json, { path_template: values(9) }, /at most 8 values/);
      const long = (length: number) => `{$.${'x'.repeat(length - 4)}}`;
      await kept(json, { path_template: long(512) });
      await refused(json, { path_template: long(513) }, /at most 512 characters/);
      await kept(json, { path_template: `${'x'.repeat(55)}{$.a}` });
      await refused(json, { path_template: `${'x'.repeat(56)}{$.a}` }, /255 characters/);
    });

    test('time_zone, merge_size, manifest and lateness_interval belong to time directories', async () => {
      assert.deepEqual(await accepted(blob, { ...DAILY, time_zone: 'asia/shanghai' }), {
        ...DAILY,
        time_zone: 'Asia/Shanghai',
      });
      assert.deepEqual(await accepted(blob, { time_zone: 'UTC' }), {});
      for (const time_zone of ['Mars', 'UTC+8', '8']) await refused(blob, { ...DAILY, time_zone }, /\[time_zone\]/);
      for (const merge_size of [1, 1024]) await kept(blob, { ...DAILY, merge_size });
      for (const merge_size of [0, 1025]) await refused(blob, { ...DAILY, merge_size }, /from 1 to 1024/);
      await kept(blob, { path_template: '{yyyy}', manifest: true, merge_size: 5, lateness_interval: 86_400 });
      assert.deepEqual(await accepted(blob, { ...DAILY, manifest: false, lateness_interval: 0 }), DAILY);
      for (const lateness_interval of [-1, 86_401]) {
        await refused(blob, { path_template: '{yyyy}', manifest: true, lateness_interval }, /from 0 to 86400/);
      }
      await refused(blob, { path_template: '{yyyy}', lateness_interval: 1 }, /\[needs manifest or merge_size/);
      await refused(blob, { ...DAILY, manifest: true, lateness_interval: 1 }, /\[needs processing_schema or/);
      for (const more of [{ time_zone: 'Asia/Shanghai' }, { merge_size: 1 }, { manifest: true }]) {
        for (const without of [{}, { path_template: '{key}' }]) {
          await refused(blob, { ...without, ...more }, /needs time directories/);
        }
      }
      for (const [member, wrong] of Object.entries({
        manifest: 1,
        merge_size: '1',
        lateness_interval: '0',
        time_zone: 8,
      })) {
        await refused(blob, { ...DAILY, [member]: wrong }, new RegExp(`\\[obs_destination_descriptor\\.${member}\\]`));
      }
    });

    test('deliver_idle_interval lies within the interval; hold_retention is yes or no', async () => {
      for (const deliver_idle_interval of [1, 60]) {
        assert.deepEqual(await accepted(blob, { deliver_time_interval: 60, deliver_idle_interval }), {
          deliver_idle_interval,
        });
      }
      for (const deliver_idle_interval of [0, 61]) {
        const settings = { deliver_time_interval: 60, deliver_idle_interval };
        await refused(blob, settings, /\[deliver_idle_interval\]\[must be a whole number from 1 to 60\]/);
      }
      await kept(blob, { hold_retention: true });
      assert.deepEqual(await accepted(blob, { hold_retention: false }), {});
      await refused(blob, { hold_retention: 'true' }, /\[obs_destination_descriptor\.hold_retention\]/);
    });

    test('a stream cannot become what one of its tasks could not deliver', async () => {
      const stream = `${prefix}-changing`;
      await dis.createStream(stream, 1, { data_type: 'JSON', data_schema: SCHEMA });
      const update = (body: object) =>
        dis.http.call('PUT', `/v3/${dis.projectId}/streams/${stream}`, {
          token: dis.token,
          body: { stream_name: stream, ...body },
        });
      expectEmpty(await dis.createTask(stream, descriptor({ destination_file_type: 'csv' })), 201);
      expectError(await update({ data_type: 'BLOB' }), 400, 'DIS.4300', /\[data_type\]\[the dump task task could not/);
      expectError(await update({ data_schema: '"string"' }), 400, 'DIS.4360', /\[data_schema\]\[the dump task task/);
      expectEmpty(await update({ data_schema: SCHEMA.replace('"n"', '"m"') }), 204);
      expectEmpty(await dis.updateTask(stream, descriptor({})), 200);
      expectEmpty(await update({ data_type: 'BLOB' }), 204);
      expectError(
        await dis.updateTask(stream, descriptor({ destination_file_type: 'csv' })),
        400,
        'DIS.4200',
        /needs a stream of data_type JSON/,
      );
      await dis.deleteStream(stream);
    });
  });
}
