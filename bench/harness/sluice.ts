/** The server under test, as `bin/sluice serve` starts it, and the few calls that every benchmark makes. */
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { startServer, type TestServer } from '../../test/support/server.ts';
import type { LoadGenerator } from '../load/load-generator.ts';

/** Settings of the product, but for quotas that are in the way of a benchmark. */
const CONFIG = { limits: { common_partitions: 10_000, tasks_per_stream: 1000 } };

export const RECORD_BYTES = 1024;
export const RECORDS_PER_REQUEST = 500;
const TEXTS_PER_REQUEST = 1000;

export class Sluice {
  readonly server: TestServer;
  #token = '';

  private constructor(server: TestServer) {
    this.server = server;
  }

  /** `limits`: more settings that are not the product's. */
  static async start(dataDir: string, limits: Readonly<Record<string, number>> = {}): Promise<Sluice> {
    const config = { ...CONFIG, limits: { ...CONFIG.limits, ...limits } };
    const sluice = new Sluice(await startServer({ dataDir, config }));
    sluice.#token = await sluice.server.token();
    return sluice;
  }

  get token(): string {
    return this.#token;
  }

  get recordsPath(): string {
    return `/v2/${this.server.projectId}/records`;
  }

  /** A call below the project; throws unless it is answered with 2xx. */
  async call(method: string, path: string, options: { body?: unknown; query?: Record<string, string> } = {}) {
    const answer = await this.server.client.call(method, `/v2/${this.server.projectId}${path}`, {
      ...options,
      token: this.#token,
    });
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return answer;
  }

  async createStream(name: string, partitions: number, more: object = {}): Promise<void> {
    await this.call('POST', '/streams', { body: { stream_name: name, partition_count: partitions, ...more } });
  }

  async deleteStream(name: string): Promise<void> {
    await this.call('DELETE', `/streams/${name}`);
  }

  /** A task that delivers a stream from its beginning, looked at every second. Resolves to its id. */
  async createTask(stream: string, name: string, more: object = {}): Promise<string> {
    await this.call('POST', `/streams/${stream}/transfer-tasks`, {
      body: {
        destination_type: 'OBS',
        obs_destination_descriptor: {
          task_name: name,
          obs_bucket_path: 'bench',
          deliver_time_interval: 1,
          consumer_strategy: 'TRIM_HORIZON',
          destination_file_type: 'text',
          ...more,
        },
      },
    });
    const answer = await this.call('GET', `/streams/${stream}/transfer-tasks/${name}`);
    return (answer.json as { task_id: string }).task_id;
  }

  /** Cursors at the beginning of each partition. */
  async cursors(stream: string, partitions: number): Promise<string[]> {
    const cursors: string[] = [];
    for (let partition = 0; partition < partitions; partition += 1) {
      const query = { 'stream-name': stream, 'partition-id': String(partition), 'cursor-type': 'TRIM_HORIZON' };
      const answer = await this.call('GET', '/cursors', { query });
      cursors.push((answer.json as { partition_cursor: string }).partition_cursor);
    }
    return cursors;
  }

  /** Puts whole requests of records, dealt evenly to the partitions. */
  async fill(load: LoadGenerator, stream: string, partitions: number, requests: number): Promise<void> {
    await load.run({
      url: this.server.baseUrl,
      connections: 4,
      requests,
      traffic: {
        kind: 'put',
        dialect: 'dis',
        path: this.recordsPath,
        stream,
        token: this.#token,
        records: RECORDS_PER_REQUEST,
        payloadBytes: RECORD_BYTES,
        partitions,
      },
    });
  }

  /** Puts texts, in requests that are not too large, dealt to the partitions in turn. */
  async putTexts(stream: string, partitions: number, texts: Iterable<string>): Promise<void> {
    let records: object[] = [];
    const put = async () => {
      const answer = await this.call('POST', '/records', { body: { stream_name: stream, records } });
      if (!answer.text.startsWith('{"failed_record_count":0,')) throw new Error(answer.text.slice(0, 500));
      records = [];
    };
    let turn = 0;
    for (const text of texts) {
      records.push({ data: Buffer.from(text).toString('base64'), partition_id: String(turn % partitions) });
      turn += 1;
      if (records.length === TEXTS_PER_REQUEST) await put();
    }
    if (records.length > 0) await put();
  }

  /** The catalog's file, for what the API has no call for. To write to it, stop the server first. */
  openCatalog(readOnly: boolean): DatabaseSync {
    return new DatabaseSync(join(this.server.dataDir, 'catalog.db'), { readOnly });
  }
}
