/** Sluice as a user starts it: bin/sluice on an empty data directory, on a free port. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface DemoServer {
  readonly url: string;
  /** SIGTERM, as an operator would; resolves when the process is gone. */
  stop(): Promise<void>;
}

export interface DemoCredentials {
  readonly projectId: string;
  readonly domain: string;
  readonly user: string;
  readonly password: string;
}

/** Starts the server; resolves once it says where it listens. Rejects with its last words when it does not start. */
export async function startDemoServer(
  root: string,
  dataDir: string,
  credentials: DemoCredentials,
  minDeliverSeconds: number,
): Promise<DemoServer> {
  const child = spawn(join(root, 'bin', 'sluice'), ['serve', '--data-dir', dataDir, '--listen', '127.0.0.1:0'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      SLUICE_PROJECT_ID: credentials.projectId,
      SLUICE_DOMAIN: credentials.domain,
      SLUICE_USER: credentials.user,
      SLUICE_PASSWORD: credentials.password,
      SLUICE_MIN_DELIVER_INTERVAL: String(minDeliverSeconds),
      SLUICE_LOG_LEVEL: 'warn',
    },
  });
  process.once('exit', () => child.kill('SIGKILL'));
  let complaints = '';
  child.stderr.on('data', (chunk: Buffer) => (complaints = (complaints + chunk.toString()).slice(-4000)));
  const url = await Promise.race([
    readUrl(child),
    once(child, 'exit').then(() => Promise.reject(new Error(`the server did not start:\n${complaints}`))),
  ]);
  return {
    url,
    stop: async () => {
      if (child.exitCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
    },
  };
}

async function readUrl(child: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: child.stdout! })) {
    const url = /listens on (http\S+)/.exec(line)?.[1];
    if (url !== undefined) {
      child.stdout!.resume();
      return url;
    }
  }
  throw new Error('the server closed its output before it was ready');
}
