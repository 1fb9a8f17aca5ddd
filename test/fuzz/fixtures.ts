/** What there is for the fuzzer to find: streams of several kinds with records, dump tasks, apps, checkpoints, tags. */
import { expectJson } from '../support/expect.ts';
import { toBase64, type DisClient } from '../support/dis-client.ts';

const JSON_STREAM = 'fuzz-json';
const STREAMS = ['fuzz-a', 'fuzz-b', JSON_STREAM];
const APPS = ['fuzz-app', 'fuzz-group'];
const TASKS = ['fuzz-task', 'fuzz-other'];
const CONVERTING_TASKS = ['fuzz-convert', 'fuzz-convert-too'];
const BUCKET = 'fuzz';
const MOST_OTHERS = 10;

/** What the schemas do not tell: values that each operation takes, by the names of members and parameters. */
export const KNOWN_VALUES: Readonly<Record<string, readonly unknown[]>> = {
  stream_name: STREAMS,
  'X-Subject-Token': [],
  stream_id: [],
  app_name: APPS,
  task_name: [...TASKS, ...CONVERTING_TASKS],
  task_id: [],
  backfill_id: [],
  client: ['member-1', 'member-2'],
  generation: [-1, 0, 1],
  partition_id: ['0', '1', 'shardId-0000000000', 'shardId-0000000001', 'shardId-0000000009'],
  partition_cursor: [],
  partition_count: [1, 2, 3],
  target_partition_count: [1, 2, 3, 4],
  data_duration: [24, 48, 72],
  data_schema: ['{"type":"record","name":"r","fields":[]}'],
  auto_scale_min_partition_count: [1],
  auto_scale_max_partition_count: [3],
  update_type: ['AUTO_SCALE', 'DATA_TYPE'],
  cursor_type: ['TRIM_HORIZON', 'LATEST', 'AT_SEQUENCE_NUMBER', 'AFTER_SEQUENCE_NUMBER', 'AT_TIMESTAMP'],
  sequence_number: ['0', '1', '2'],
  timestamp: [Date.now(), String(Date.now())],
  data: ['', 'x', 'some more text', 'ÿ'.repeat(300)].map((text) => toBase64(text)),
  partition_key: ['a', 'b', 'ключ', ''],
  explicit_hash_key: ['0', '9223372036854775807', '4611686018427387903'],
  obs_bucket_path: [BUCKET],
  file_prefix: ['fuzz/files', ''],
  partition_format: ['', 'yyyy/MM/dd'],
  deliver_time_interval: [1, 30, 300],
  deliver_size_interval: [1, 300],
  record_delimiter: ['\n', ',', ''],
  destination_type: ['OBS'],
  destination_file_type: ['text'],
  consumer_strategy: ['LATEST', 'TRIM_HORIZON'],
  retry_duration: ['0', 60],
  deliver_data_type: ['file_stream'],
  compression_format: ['', null],
  processing_schema: [null],
  checkpoint_type: ['LAST_READ'],
  metadata: ['', 'somewhere'],
  label: ['total_put_bytes_per_stream', 'total_put_records_per_partition', 'traffic_control_put'],
  label_list: ['total_put_bytes_per_stream,total_get_bytes_per_stream', 'total_put_bytes_per_partition'],
  start_time: [String(Math.floor(Date.now() / 1000) - 3600)],
  end_time: [String(Math.floor(Date.now() / 1000) + 3600)],
  principal_name: ['*', 'acme', 'acme.alice'],
  action: ['create', 'delete', 'filter', 'count', 'pause', 'resume'],
  key: ['team', 'stage', '钥匙'],
  value: ['a', 'b.c', ''],
  values: ['a', 'b.c'],
  sys_tags: [[]],
  matches: [[{ key: 'resource_name', value: STREAMS[0] }], []],
  offset: ['0', '1'],
  limit: [1, 10, '1', '10'],
  limit_partitions: [1, 100],
  methods: ['password', 'token'],
  stream_pattern: ['fuzz-.*', '(x+x+)+y'],
  rebalance_timeout_ms: [1000, 20_000],
  delimiter: [','],
  scope: [null],
};

/**
 * Makes whatever of it is missing, and room for it: what the fuzzer made fills quotas. Puts records to convert, too: the
 * threads that convert are there from the start, and not only once the fuzzer finds what a converting task takes.
 */
export async function prepareFixtures(dis: DisClient): Promise<void> {
  await clear(dis, '/streams', 'stream_names', STREAMS);
  await clear(dis, '/apps', 'apps', APPS);
  for (const [index, stream_name] of STREAMS.entries()) {
    const data_type = stream_name === JSON_STREAM ? 'JSON' : 'BLOB';
    const created = await dis.call('POST', '/streams', {
      body: { stream_name, partition_count: index + 1, data_type, tags: [{ key: 'team', value: 'a' }] },
    });
    if (created.status !== 201 && data_type === 'BLOB') continue;
    const records = Array.from({ length: 20 }, (_, i) => ({
      data: toBase64(data_type === 'JSON' ? JSON.stringify({ number: i }) : `record ${i}`),
      partition_key: `key ${i}`,
    }));
    expectJson(await dis.put(stream_name, records));
  }
  for (const task_name of TASKS) {
    await dis.createTask(STREAMS[0]!, {
      task_name,
      obs_bucket_path: BUCKET,
      deliver_time_interval: 1,
      consumer_strategy: 'TRIM_HORIZON',
    });
  }
  for (const task_name of CONVERTING_TASKS) {
    await dis.createTask(JSON_STREAM, {
      task_name,
      obs_bucket_path: BUCKET,
      deliver_time_interval: 1,
      consumer_strategy: 'TRIM_HORIZON',
      destination_file_type: 'parquet',
    });
  }
  for (const app_name of APPS) await dis.call('POST', '/apps', { body: { app_name } });
  const checkpoint = { checkpoint_type: 'LAST_READ', partition_id: '0', sequence_number: '0', metadata: 'here' };
  await dis.call('POST', '/checkpoints', { body: { app_name: APPS[0], stream_name: STREAMS[0], ...checkpoint } });
  const interest = { groupId: APPS[1], clientId: 'member-1', interestedStream: [STREAMS[0]], rebalanceTimeoutMs: 1000 };
  await dis.call('POST', `/apps/${APPS[1]}/consumers`, { body: interest });
}

/** Deletes all but `kept` once there are many. */
async function clear(dis: DisClient, path: string, member: string, kept: readonly string[]): Promise<void> {
  const answer = await dis.call('GET', path, { query: { limit: 100 } });
  expectJson(answer);
  const listed = (answer.json as Record<string, (string | { app_name: string })[]>)[member] ?? [];
  const names = listed.map((item) => (typeof item === 'string' ? item : item.app_name));
  const others = names.filter((name) => !kept.includes(name));
  if (others.length > MOST_OTHERS) for (const name of others) await dis.call('DELETE', `${path}/${name}`);
}
