/** SeaweedFS as an S3 service: a real server with a real disk that checks every signature. Needs `npm run test:s3` once. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { S3 } from '@aws-sdk/client-s3';
import { PythonEnvironment } from './python-environment.ts';
import type { TestS3 } from './s3.ts';

export const STRICT_S3_TOOLS = new PythonEnvironment('s3', join(import.meta.dirname, '..', 's3', 'requirements.txt'));

const HOST = '127.0.0.1';
const REGION = 'us-east-1';
const START_LIMIT_MS = 60_000;
const KEY = { accessKey: 'test-access-key', secretKey: 'test-secret-key' };

export async function startStrictS3(): Promise<TestS3> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-s3-'));
  const config = join(folder, 's3.json');
  const identity = { name: 'sluice', credentials: [KEY], actions: ['Admin', 'Read', 'Write', 'List', 'Tagging'] };
  await writeFile(config, JSON.stringify({ identities: [identity] }));

  const parts = ['master', 'volume', 'filer', 's3'];
  const ports = await freePorts(parts.length * 2);
  const s3Port = ports[6]!;
  const output = await open(join(folder, 'log'), 'w');
  const server = spawn(
    STRICT_S3_TOOLS.tool('weed'),
    [
      'server',
      `-dir=${folder}`,
      `-ip=${HOST}`,
      '-filer',
      '-s3',
      `-s3.config=${config}`,
      '-s3.port.iceberg=0',
      '-s3.port.lance=0',
      '-volume.max=0',
      '-master.volumeSizeLimitMB=64',
      ...parts.flatMap((part, at) => [`-${part}.port=${ports[at * 2]}`, `-${part}.port.grpc=${ports[at * 2 + 1]}`]),
    ],
    { stdio: ['ignore', output.fd, output.fd] },
  );
  // A test that is killed does not leave the server behind.
  const kill = () => server.kill('SIGKILL');
  process.once('exit', kill);
  const ended = once(server, 'exit');
  await output.close();

  const endpoint = `http://${HOST}:${s3Port}`;
  const { accessKey: accessKeyId, secretKey: secretAccessKey } = KEY;
  const client = new S3({
    endpoint,
    region: REGION,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
  const close = async () => {
    client.destroy();
    kill();
    await ended;
    process.off('exit', kill);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await untilReady(client, START_LIMIT_MS);
  } catch (error) {
    const log = await readFile(join(folder, 'log'), 'utf8');
    await close();
    throw new Error(`the S3 server did not start:\n${log.slice(-2000)}`, { cause: error });
  }
  return {
    endpoint,
    region: REGION,
    ...KEY,
    strict: true,
    createBucket: async (Bucket) => void (await client.createBucket({ Bucket })),
    close,
  };
}

/** Its parts find each other in a few seconds; until then writes are refused. */
async function untilReady(client: S3, limitMs: number): Promise<void> {
  for (const end = Date.now() + limitMs; ;) {
    try {
      await client.createBucket({ Bucket: 'ready' });
      await client.putObject({ Bucket: 'ready', Key: 'ready', Body: 'ready' });
      return;
    } catch (error) {
      if (Date.now() > end) throw error;
      await setTimeout(200);
    }
  }
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, HOST));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
