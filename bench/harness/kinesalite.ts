/**
 * The peer: kinesalite, a Kinesis server on LevelDB that does not sync before it answers. It is a development dependency with a
 * prebuilt binary; where that cannot be loaded the benchmarks go on without it and say so.
 */
import { createServer } from 'node:net';
import { createRequire } from 'node:module';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Connection } from '../load/connection.ts';
import { kinesisHeaders, post } from '../load/traffic.ts';
import { startChild, type ChildServer } from './child-server.ts';

const CREATE_MS = 1;

export class Kinesalite {
  readonly url: string;
  readonly child: ChildServer;

  private constructor(url: string, child: ChildServer) {
    this.url = url;
    this.child = child;
  }

  /** Undefined when it cannot be had here. */
  static async start(directory: string): Promise<Kinesalite | undefined> {
    const port = await freePort();
    try {
      const require = createRequire(import.meta.url);
      require('leveldown');
      const script = require.resolve('kinesalite/cli.js');
      const options = ['--path', directory, '--createStreamMs', String(CREATE_MS), '--shardLimit', '100'];
      return new Kinesalite(`http://127.0.0.1:${port}`, await startChild(script, ['--port', String(port), ...options]));
    } catch (error) {
      process.stderr.write(`kinesalite cannot be had: ${(error as Error).message}\n`);
      return undefined;
    }
  }

  async createStream(name: string, shards: number): Promise<void> {
    await this.call('CreateStream', { StreamName: name, ShardCount: shards });
    let status = '';
    while (status !== 'ACTIVE') {
      const text = await this.call('DescribeStreamSummary', { StreamName: name });
      status = /"StreamStatus":"(\w+)"/.exec(text)?.[1] ?? '';
    }
  }

  async shardIterators(stream: string, shards: number): Promise<string[]> {
    const ids = Array.from({ length: shards }, (_, index) => `shardId-${String(index).padStart(12, '0')}`);
    const found: string[] = [];
    for (const ShardId of ids) {
      const request = { StreamName: stream, ShardId, ShardIteratorType: 'TRIM_HORIZON' };
      const text = await this.call('GetShardIterator', request);
      found.push((JSON.parse(text) as { ShardIterator: string }).ShardIterator);
    }
    return found;
  }

  /** The answer's first bytes, which is all of a short one. */
  async call(operation: string, body: unknown): Promise<string> {
    const connection = await Connection.open(this.url);
    const { status, head } = await connection.exchange(post('/', kinesisHeaders(operation), JSON.stringify(body)));
    connection.close();
    if (status !== 200) throw new Error(`kinesalite ${operation}: ${status} ${head.toString('utf8')}`);
    return head.toString('utf8');
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
