/**
 * A real server in a process of its own, with a data directory and credentials made for one test. It is gone when the
 * test is over, and when the test's own process ends before that.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { ApiClient, type Credentials, type Target } from './api-client.ts';
import { makeCertificate } from './certificate.ts';

export const CREDENTIALS: Credentials & { readonly accessKey: string; readonly secretKey: string } = {
  projectId: '0123456789abcdef0123456789abcdef',
  projectName: 'default',
  domain: 'acme',
  user: 'alice',
  password: 'open sesame 1',
  accessKey: 'TESTACCESSKEY',
  secretKey: 'test-secret-key',
};

export interface ServerOptions {
  /** More environment for the server, on top of the credentials. */
  readonly env?: Readonly<Record<string, string>>;
  /** Kept when the server is stopped; absent: a temporary one, removed by `stop`. */
  readonly dataDir?: string;
  /** Written to a YAML file and given with --config. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Speaks TLS, with a certificate of its own that `ca` tells. */
  readonly tls?: boolean;
  /** Where the certificate is kept, for others to use it, too. */
  readonly tlsFolder?: string;
}

export interface TestServer extends Target {
  /** Changes when a restarted server listens on another port. */
  readonly baseUrl: string;
  readonly projectId: string;
  readonly dataDir: string;
  /** What a command needs beside `--data-dir` to work on the same installation. */
  readonly env: Readonly<Record<string, string>>;
  readonly pid: number;
  readonly client: ApiClient;
  /** Standard error since the last start: the server's log. */
  readonly log: string;
  /** A token of the first user in the first project. */
  token(): Promise<string>;
  /** Sends a signal and resolves to the exit code, or the name of the signal that ended the process. */
  kill(signal: NodeJS.Signals): Promise<number | NodeJS.Signals>;
  /** Ends the server if it still runs and removes its temporary files. */
  stop(): Promise<void>;
  /** Starts it again on the same data; stops it with SIGTERM first if it still runs. */
  restart(): Promise<void>;
}

const SLUICE = join(import.meta.dirname, '..', '..', 'bin', 'sluice');
const START_LIMIT_MS = 20_000;
const STOP_LIMIT_MS = 20_000;

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
// The test runner ends a file that takes too long with SIGTERM, which by itself skips the exit handlers.
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(1));

/** Runs the server where it is expected not to start; resolves once it has ended. */
export async function failToStart(
  options: ServerOptions & { readonly dataDir: string; readonly args?: readonly string[] },
): Promise<{ readonly code: number | null; readonly stderr: string }> {
  const child = spawn(
    SLUICE,
    ['serve', '--data-dir', options.dataDir, '--listen', '127.0.0.1:0', ...(options.args ?? [])],
    { env: serverEnvironment(options.env), stdio: ['ignore', 'ignore', 'pipe'] },
  );
  running.add(child);
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
  const timer = setTimeout(() => child.kill('SIGKILL'), START_LIMIT_MS);
  await once(child, 'close');
  clearTimeout(timer);
  running.delete(child);
  return { code: child.exitCode, stderr };
}

export class ServerProcess implements TestServer {
  readonly credentials = CREDENTIALS;
  readonly projectId = CREDENTIALS.projectId;
  readonly dataDir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly #options: ServerOptions;
  readonly #folder: string;
  #child: ChildProcess | undefined;
  #baseUrl = '';
  #client: ApiClient | undefined;
  #token: Promise<string> | undefined;
  #log = '';
  #ca: string | undefined;

  constructor(options: ServerOptions, folder: string) {
    this.#options = options;
    this.#folder = folder;
    this.dataDir = options.dataDir ?? join(folder, 'data');
    this.env = options.env ?? {};
  }

  get baseUrl(): string {
    return this.#baseUrl;
  }

  get client(): ApiClient {
    if (this.#client === undefined) throw new Error('the server was never started');
    return this.#client;
  }

  get ca(): string | undefined {
    return this.#ca;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  get log(): string {
    return this.#log;
  }

  async start(): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const args = ['serve', '--data-dir', this.dataDir, '--listen', '127.0.0.1:0'];
    if (this.#options.config !== undefined) {
      const file = join(this.#folder, 'config.yaml');
      await writeFile(file, stringify(this.#options.config));
      args.push('--config', file);
    }
    const env = { ...(await this.#tlsEnvironment()), ...this.#options.env };
    const child = spawn(SLUICE, args, { env: serverEnvironment(env), stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(child);
    child.once('exit', () => running.delete(child));
    this.#child = child;
    this.#log = '';
    child.stderr.on('data', (chunk: Buffer) => (this.#log += chunk.toString('utf8')));
    this.#baseUrl = await this.#readUrl(child);
    this.#client?.close();
    this.#client = new ApiClient(this.#baseUrl, this.#ca);
    const health = await this.#client.call('GET', '/healthz');
    if (health.status !== 200) throw new Error(`/healthz answered ${health.status}`);
  }

  token(): Promise<string> {
    return (this.#token ??= this.client.login(this.credentials));
  }

  async kill(signal: NodeJS.Signals): Promise<number | NodeJS.Signals> {
    const child = this.#child;
    if (child === undefined) throw new Error('the server does not run');
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      child.kill(signal);
      const late = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
      await ended;
      clearTimeout(late);
    }
    this.#child = undefined;
    return child.signalCode ?? child.exitCode ?? 0;
  }

  async stop(): Promise<void> {
    if (this.#child !== undefined) await this.kill('SIGKILL');
    this.#client?.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async restart(): Promise<void> {
    if (this.#child !== undefined) await this.kill('SIGTERM');
    await this.start();
  }

  /** The certificate stays the same when the server is started again. */
  async #tlsEnvironment(): Promise<Record<string, string>> {
    if (this.#options.tls !== true) return {};
    const folder = this.#options.tlsFolder ?? this.#folder;
    const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
    this.#ca ??= await readFile(files.cert, 'utf8').catch(() => makeCertificate(files));
    return { SLUICE_TLS_CERT: files.cert, SLUICE_TLS_KEY: files.key };
  }

  /** The server prints where it listens once it does. */
  #readUrl(child: ChildProcess): Promise<string> {
    return new Promise((resolve, reject) => {
      let output = '';
      const fail = (why: string) => reject(new Error(`the server ${why}:\n${output}${this.#log}`));
      const timer = setTimeout(() => fail('did not start in time'), START_LIMIT_MS);
      child.stdout?.on('data', (chunk: Buffer) => {
        output += chunk.toString('utf8');
        const url = /listens on (https?:\/\/\S+)/.exec(output)?.[1];
        if (url === undefined) return;
        clearTimeout(timer);
        resolve(url);
      });
      // `close`, not `exit`: only then is all of its output here.
      child.once('close', (code, signal) => {
        clearTimeout(timer);
        fail(`ended with ${code ?? signal}`);
      });
    });
  }
}

/** Nothing of the developer's own SLUICE_ variables reaches the server. */
function serverEnvironment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    SLUICE_PROJECT_ID: CREDENTIALS.projectId,
    SLUICE_PROJECT_NAME: CREDENTIALS.projectName,
    SLUICE_DOMAIN: CREDENTIALS.domain,
    SLUICE_USER: CREDENTIALS.user,
    SLUICE_PASSWORD: CREDENTIALS.password,
    SLUICE_ACCESS_KEY: CREDENTIALS.accessKey,
    SLUICE_SECRET_KEY: CREDENTIALS.secretKey,
    SLUICE_MIN_DELIVER_INTERVAL: '1',
    SLUICE_LOG_LEVEL: 'warn',
    ...more,
  };
}
