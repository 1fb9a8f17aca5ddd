/** What DIS has given up: every old request learns what it asked for, by name. */
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import type { Target } from '../../support/api-client.ts';
import { DisClient } from '../../support/dis-client.ts';
import { expectEmpty, expectError } from '../../support/expect.ts';

const OBS = { task_name: 'task', obs_bucket_path: 'bucket' };
/** As old clients sent them. */
const DESCRIPTORS: Readonly<Record<string, object>> = {
  mrs: { task_name: 'task', mrs_cluster_name: 'c', mrs_cluster_id: 'i', mrs_hdfs_path: '/x', obs_bucket_path: 'b' },
  dli: { task_name: 'task', dli_database_name: 'd', dli_table_name: 't', obs_bucket_path: 'b' },
  uquery: { task_name: 'task', uquery_database_name: 'd', uquery_table_name: 't', obs_bucket_path: 'b' },
  cloudtable: { task_name: 'task', cloudtable_cluster_name: 'c', cloudtable_table_name: 't' },
  opentsdb: { task_name: 'task', cloudtable_cluster_name: 'c', opentsdb_schema: [{}] },
  dws: { task_name: 'task', dws_cluster_name: 'c', dws_table_name: 't', user_name: 'u', user_password: 'p' },
};

export function runRetiredConformance(getTarget: () => Target): void {
  describe('retired operations', () => {
    const stream = `r${randomBytes(4).toString('hex')}`;
    let dis: DisClient;

    before(async () => {
      dis = await DisClient.login(getTarget());
      await dis.createStream(stream);
    });
    after(async () => {
      await dis.deleteStream(stream);
      dis.close();
    });

    const tasks = `/streams/${stream}/transfer-tasks`;
    const retired = (what: string) => new RegExp(`^Retired by DIS and not offered\\. .*\\[${what}\\]`);

    test('destinations other than OBS, under every name and spelling', async () => {
      for (const [kind, descriptor] of Object.entries(DESCRIPTORS)) {
        for (const method of ['POST', 'PUT']) {
          for (const destination_type of [kind.toUpperCase(), kind, ` ${kind.toUpperCase()}`]) {
            const body = { destination_type, [`${kind}_destination_descriptor`]: descriptor };
            expectError(
              await dis.call(method, tasks, { body }),
              400,
              'DIS.4200',
              retired(`(?:${kind}|${body.destination_type.trim()})`),
            );
          }
          for (const ending of ['descriptor', 'description', 'descripton']) {
            const member = `${kind}_destination_${ending}`;
            for (const more of [{}, { destination_type: 'OBS' }, { obs_destination_descriptor: OBS }]) {
              const body = { ...more, [member]: descriptor };
              expectError(await dis.call(method, tasks, { body }), 400, 'DIS.4200', retired(member));
            }
          }
        }
        // The singular path of the Python client is no way around.
        const body = { destination_type: kind.toUpperCase() };
        expectError(await dis.call('POST', `/stream/${stream}/transfer-tasks/`, { body }), 400, 'DIS.4200', /^Retired/);
      }
    });

    test('a destination that never was is not called retired', async () => {
      for (const destination_type of ['NOWHERE', 'KAFKA', 'obs']) {
        const body = { destination_type, obs_destination_descriptor: OBS };
        expectError(
          await dis.call('POST', tasks, { body }),
          400,
          'DIS.4200',
          /^The destination .*\[destination_type\]/,
        );
      }
    });

    test('members of retired destinations that say nothing are none', async () => {
      const nothing = {
        mrs_destination_descriptor: null,
        dli_destination_descriptor: {},
        dws_destination_descriptor: '',
      };
      expectEmpty(await dis.call('POST', tasks, { body: { ...nothing, obs_destination_descriptor: OBS } }), 201);
      expectEmpty(await dis.deleteTask(stream, OBS.task_name), 204);
    });

    test('files in CarbonData form', async () => {
      for (const destination_file_type of ['carbon', 'CARBON', 'Carbon']) {
        expectError(
          await dis.createTask(stream, { ...OBS, destination_file_type }),
          400,
          'DIS.4200',
          retired(destination_file_type),
        );
      }
      const carbon_properties = { table: 't' };
      expectError(
        await dis.createTask(stream, { ...OBS, carbon_properties }),
        400,
        'DIS.4200',
        retired('carbon_properties'),
      );
    });

    test('a stream made together with its destinations', async () => {
      for (const kind of ['obs', ...Object.keys(DESCRIPTORS)]) {
        const member = `${kind}_destination_descriptor`;
        for (const value of [[{ ...OBS }], { ...OBS }]) {
          const body = { stream_name: 'never', partition_count: 1, [member]: value };
          expectError(await dis.call('POST', '/streams', { body }), 400, 'DIS.4200', retired(member));
        }
      }
      const nothing = { obs_destination_descriptor: [], mrs_destination_descriptor: null };
      await dis.createStream(`${stream}-b`, 1, nothing);
      await dis.deleteStream(`${stream}-b`);
    });

    test('the upload of small files', async () => {
      for (const data_type of ['FILE', 'file']) {
        const body = { stream_name: 'never', partition_count: 1, data_type };
        expectError(await dis.call('POST', '/streams', { body }), 400, 'DIS.4200', retired(data_type));
      }
      for (const path of ['/files/8QM3Nt9YTLOwtUVYJhO/state', '/files/8QM3Nt9YTLOwtUVYJhO/state/']) {
        const query = { 'stream-name': stream, 'file-name': 'x' };
        expectError(await dis.call('GET', path, { query }), 400, 'DIS.4200', retired('upload of small files'));
      }
      const target = getTarget();
      const unknown = await dis.http.call('GET', `/v2/${target.credentials.projectId}/files/x/state`);
      expectError(unknown, 401, 'DIS.4113');
    });

    test('operations that never were are unknown', async () => {
      for (const [method, path] of [
        ['POST', `/streams/${stream}/split`],
        ['POST', `/streams/${stream}/merge`],
        ['PUT', `/streams/${stream}/partitions`],
        ['POST', '/files'],
        ['GET', '/files/x'],
      ] as const) {
        expectError(await dis.call(method, path, { body: {} }), 404, 'DIS.4200', /^No such operation\. /);
      }
    });
  });
}
