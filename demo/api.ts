/** The few calls of the public API that the demo makes. */
import type { DemoCredentials } from './server.ts';

export interface LogEntry {
  readonly state: number;
  readonly startTime: number;
  readonly endTime: number;
  readonly transferRecordsNum: number;
  readonly transferBytes: number;
  readonly transferFileName: string;
  readonly partitionId: string;
  readonly firstSequenceNumber: string;
  readonly lastSequenceNumber: string;
  readonly objectKey: string;
  readonly checksum: string | null;
}

export class DemoApi {
  readonly #url: string;
  readonly #projectId: string;
  readonly #token: string;

  private constructor(url: string, projectId: string, token: string) {
    this.#url = url;
    this.#projectId = projectId;
    this.#token = token;
  }

  static async login(url: string, { projectId, domain, user, password }: DemoCredentials): Promise<DemoApi> {
    const identity = { methods: ['password'], password: { user: { name: user, password, domain: { name: domain } } } };
    const response = await fetch(`${url}/v3/auth/tokens`, {
      method: 'POST',
      body: JSON.stringify({ auth: { identity, scope: { project: { id: projectId } } } }),
    });
    const token = response.headers.get('x-subject-token');
    if (response.status !== 201 || token === null)
      throw new Error(`login: ${response.status} ${await response.text()}`);
    return new DemoApi(url, projectId, token);
  }

  async createStream(name: string, partitions: number): Promise<void> {
    await this.#call('POST', `/v2/${this.#projectId}/streams`, {
      stream_name: name,
      partition_count: partitions,
      data_type: 'JSON',
    });
  }

  /** Creates a dump task and returns its id. */
  async createDumpTask(stream: string, name: string, bucket: string, prefix: string, seconds: number): Promise<string> {
    const path = `/v2/${this.#projectId}/streams/${stream}/transfer-tasks`;
    await this.#call('POST', path, {
      obs_destination_descriptor: {
        task_name: name,
        obs_bucket_path: bucket,
        file_prefix: prefix,
        partition_format: 'yyyy/MM/dd',
        deliver_time_interval: seconds,
        consumer_strategy: 'TRIM_HORIZON',
      },
    });
    const { task_id } = (await this.#call('GET', `${path}/${name}`)) as { task_id: string };
    return task_id;
  }

  /** Puts records and throws unless every one of them was acknowledged. */
  async put(stream: string, records: readonly { readonly key: string; readonly data: string }[]): Promise<void> {
    const body = {
      stream_name: stream,
      records: records.map(({ key, data }) => ({ partition_key: key, data: Buffer.from(data).toString('base64') })),
    };
    const answer = await this.#call('POST', `/v2/${this.#projectId}/records`, body);
    const { failed_record_count: failed } = answer as { failed_record_count: number };
    if (failed !== 0) throw new Error(`${failed} records were refused`);
  }

  /** Every entry of a task's dump log, oldest first. */
  async dumpLog(taskId: string): Promise<LogEntry[]> {
    const entries: LogEntry[] = [];
    for (let page = 1; ; page += 1) {
      const answer = await this.#call('POST', `/v1/transfertasklog/${taskId}`, {
        order: 'asc',
        sortBy: 'createTimeStr',
        pageInfo: { pageIndex: page, pageTotal: 100 },
      });
      const { totalNum, transferTaskLogList } = answer as { totalNum: number; transferTaskLogList: LogEntry[] };
      entries.push(...transferTaskLogList);
      if (entries.length >= totalNum || transferTaskLogList.length === 0) return entries;
    }
  }

  async #call(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`${this.#url}${path}`, {
      method,
      headers: { 'X-Auth-Token': this.#token, 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  }
}
