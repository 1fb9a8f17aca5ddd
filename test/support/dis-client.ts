/**
 * The API as one caller in one project uses it: streams, records, cursors, dump tasks and their log. The plain calls
 * return the answer as it came; those that return anything else fail the test when the server refuses.
 */
import assert from 'node:assert/strict';
import { ApiClient, type Answer, type CallOptions, type Credentials, type Target } from './api-client.ts';
import { expectEmpty, expectJson } from './expect.ts';

/** A record to be put; see the API for the members. */
export interface RecordToPut {
  readonly data: unknown;
  readonly partition_id?: unknown;
  readonly partition_key?: unknown;
  readonly explicit_hash_key?: unknown;
  readonly timestamp?: unknown;
}

export interface Place {
  readonly partition: number;
  readonly sequence: number;
}

/** One entry of a put answer: a place or a refusal. */
export interface PutEntry {
  readonly partition_id?: string;
  readonly sequence_number?: string;
  readonly error_code?: string;
  readonly error_message?: string;
}

export interface GotRecord {
  readonly sequence_number: string;
  readonly data: string;
  readonly timestamp: number;
  readonly timestamp_type: string;
  readonly partition_key?: string;
}

export interface PartitionInfo {
  readonly status: string;
  readonly partition_id: string;
  readonly hash_range: string;
  readonly sequence_number_range: string;
}

/** One entry of a dump log, as far as tests look at it. */
export interface LogEntry {
  readonly transferTaskId: string;
  readonly state: number;
  readonly destinationType: string;
  readonly startTime: number;
  readonly endTime: number;
  readonly transferBytes: number;
  readonly transferRecordsNum: number;
  readonly streamId: string;
  readonly projectId: string;
  readonly transferFileName: string;
  readonly logId: number;
  readonly kind: string;
  readonly partitionId: string;
  readonly firstSequenceNumber: string;
  readonly lastSequenceNumber: string;
  readonly readRecordsNum: number;
  readonly createTime: number;
  readonly bucket: string;
  readonly objectKey: string;
  readonly checksum: string | null;
  readonly etag: string | null;
  readonly attempt: number;
  readonly taskVersion: number;
  readonly errorCode: string | null;
  readonly cause: string | null;
  readonly givenUp: boolean;
  readonly deadLettersNum: number;
  readonly deadLetterKey: string | null;
  readonly redrivenByLogId: number | null;
  readonly supersededTime: number | null;
  readonly removedTime: number | null;
}

type Query = Readonly<Record<string, string | number>>;

const LARGEST_PAGE = 1000;
const LARGEST_GET = 10_000;

export class DisClient {
  readonly http: ApiClient;
  readonly projectId: string;
  readonly token: string;

  private constructor(http: ApiClient, projectId: string, token: string) {
    this.http = http;
    this.projectId = projectId;
    this.token = token;
  }

  static async login({ baseUrl, credentials, ca }: Target, scope: Partial<Credentials> = {}): Promise<DisClient> {
    const http = new ApiClient(baseUrl, ca);
    const whole = { ...credentials, ...scope };
    return new DisClient(http, whole.projectId, await http.login(whole));
  }

  /** The same caller at another address: a server that was started again listens on another port. */
  at(baseUrl: string): DisClient {
    this.close();
    return new DisClient(new ApiClient(baseUrl), this.projectId, this.token);
  }

  close(): void {
    this.http.close();
  }

  /** A call below `/v2/{project}`. */
  call(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
    return this.http.call(method, `/v2/${this.projectId}${path}`, { token: this.token, ...options });
  }

  async createStream(name: string, partitions = 1, members: object = {}): Promise<void> {
    const body = { stream_name: name, partition_count: partitions, ...members };
    expectEmpty(await this.call('POST', '/streams', { body }), 201);
  }

  async deleteStream(name: string): Promise<void> {
    expectEmpty(await this.call('DELETE', `/streams/${name}`), 204);
  }

  /** The id of a stream and all of its partitions. */
  async describe(name: string): Promise<{ readonly id: string; readonly partitions: readonly PartitionInfo[] }> {
    const answer = await this.call('GET', `/streams/${name}`, { query: { limit_partitions: LARGEST_PAGE } });
    expectJson(answer);
    const { stream_id: id, partitions } = answer.json as { stream_id: string; partitions: PartitionInfo[] };
    return { id, partitions };
  }

  put(stream: string, records: unknown): Promise<Answer> {
    return this.call('POST', '/records', { body: { stream_name: stream, records } });
  }

  /** Puts records that must all be stored; where each of them is. */
  async store(stream: string, records: readonly RecordToPut[]): Promise<Place[]> {
    const answer = await this.put(stream, records);
    const entries = entriesOf(answer);
    assert.match(answer.text, /^\{"failed_record_count":0,/, answer.text.slice(0, 500));
    return entries.map(placeOf);
  }

  getCursor(stream: string, partition: number | string, query: Query = {}): Promise<Answer> {
    return this.call('GET', '/cursors', { query: { 'stream-name': stream, 'partition-id': partition, ...query } });
  }

  async cursor(stream: string, partition: number, query: Query = { 'cursor-type': 'TRIM_HORIZON' }): Promise<string> {
    const answer = await this.getCursor(stream, partition, query);
    expectJson(answer);
    return (answer.json as { partition_cursor: string }).partition_cursor;
  }

  get(cursor: string, query: Query = {}): Promise<Answer> {
    return this.call('GET', '/records', { query: { 'partition-cursor': cursor, ...query } });
  }

  /** One page that must be there. */
  async page(cursor: string, query: Query = {}): Promise<{ readonly records: GotRecord[]; readonly next: string }> {
    const answer = await this.get(cursor, query);
    expectJson(answer);
    const { records, next_partition_cursor } = answer.json as { records: GotRecord[]; next_partition_cursor: string };
    return { records, next: next_partition_cursor };
  }

  /** Every record of a partition, from the oldest on. */
  async readAll(stream: string, partition: number, query: Query = { limit: LARGEST_GET }): Promise<GotRecord[]> {
    const all: GotRecord[] = [];
    let cursor = await this.cursor(stream, partition);
    for (;;) {
      const { records, next } = await this.page(cursor, query);
      if (records.length === 0) return all;
      all.push(...records);
      cursor = next;
    }
  }

  createTask(stream: string, descriptor: object): Promise<Answer> {
    return this.call('POST', `/streams/${stream}/transfer-tasks`, {
      body: { destination_type: 'OBS', obs_destination_descriptor: descriptor },
    });
  }

  updateTask(stream: string, descriptor: object): Promise<Answer> {
    return this.call('PUT', `/streams/${stream}/transfer-tasks`, {
      body: { destination_type: 'OBS', obs_destination_descriptor: descriptor },
    });
  }

  showTask(stream: string, task: string): Promise<Answer> {
    return this.call('GET', `/streams/${stream}/transfer-tasks/${task}`);
  }

  listTasks(stream: string, query: Query = {}): Promise<Answer> {
    return this.call('GET', `/streams/${stream}/transfer-tasks`, { query });
  }

  deleteTask(stream: string, task: string): Promise<Answer> {
    return this.call('DELETE', `/streams/${stream}/transfer-tasks/${task}`);
  }

  changeTasks(stream: string, action: unknown, ...ids: readonly string[]): Promise<Answer> {
    return this.call('POST', `/streams/${stream}/transfer-tasks/action`, {
      body: { action, tasks: ids.map((id) => ({ id })) },
    });
  }

  /** Makes a task that delivers every second from the first record on, and returns its id. */
  async addTask(stream: string, task: string, descriptor: object = {}): Promise<string> {
    const made = await this.createTask(stream, {
      task_name: task,
      obs_bucket_path: 'bucket',
      deliver_time_interval: 1,
      consumer_strategy: 'TRIM_HORIZON',
      ...descriptor,
    });
    expectEmpty(made, 201);
    return this.taskId(stream, task);
  }

  async taskId(stream: string, task: string): Promise<string> {
    const shown = await this.showTask(stream, task);
    expectJson(shown);
    return (shown.json as { task_id: string }).task_id;
  }

  log(taskId: string, body?: unknown): Promise<Answer> {
    return this.http.call('POST', `/v1/transfertasklog/${taskId}`, { token: this.token, body });
  }

  /** Every entry of a log that does not grow meanwhile, in the order in which they were made. */
  async wholeLog(taskId: string): Promise<LogEntry[]> {
    const all: LogEntry[] = [];
    for (let pageIndex = 1; ; pageIndex += 1) {
      const answer = await this.log(taskId, { order: 'asc', pageInfo: { pageIndex, pageTotal: LARGEST_PAGE } });
      expectJson(answer);
      const { transferTaskLogList, totalNum } = answer.json as { transferTaskLogList: LogEntry[]; totalNum: number };
      all.push(...transferTaskLogList);
      if (all.length >= totalNum) return all;
    }
  }
}

/** The entries of a put that answered 200, however many of them are refusals. */
export function entriesOf(answer: Answer): PutEntry[] {
  expectJson(answer);
  return (answer.json as { records: PutEntry[] }).records;
}

/** Where a stored record is. */
export function placeOf({ partition_id = '', sequence_number = '' }: PutEntry): Place {
  assert.match(partition_id, /^shardId-\d{10}$/);
  assert.match(sequence_number, /^\d+$/);
  return { partition: partitionNumber(partition_id), sequence: Number(sequence_number) };
}

/** The number in `shardId-0000000003`. */
export function partitionNumber(partitionId: string): number {
  return Number(partitionId.slice('shardId-'.length));
}

export function toBase64(data: string | Uint8Array): string {
  return Buffer.from(data as string).toString('base64');
}

/** Looks again and again until `done` says so; fails with `what` after a time that no healthy machine needs. */
export async function eventually<T>(
  what: string,
  look: () => Promise<T>,
  done: (seen: T) => boolean = Boolean,
  patienceMs = 60_000,
): Promise<T> {
  const end = Date.now() + patienceMs;
  for (;;) {
    const seen = await look();
    if (done(seen)) return seen;
    if (Date.now() > end) throw new Error(`waited in vain: ${what}; at last: ${JSON.stringify(seen)}`.slice(0, 4000));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
