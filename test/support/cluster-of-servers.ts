/** Several server processes of one installation that look like one: see backend.ts. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ApiClient } from './api-client.ts';
import { makeClusterBackend, NODES, type ClusterBackend } from './backend.ts';
import { startBalancer, type Balancer } from './balancer.ts';
import { CREDENTIALS, ServerProcess, type ServerOptions, type TestServer } from './server-process.ts';

export class ClusterOfServers implements TestServer {
  readonly credentials = CREDENTIALS;
  readonly projectId = CREDENTIALS.projectId;
  readonly dataDir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly nodes: readonly ServerProcess[];
  readonly #folder: string;
  readonly #backend: ClusterBackend;
  readonly #balancer: Balancer;
  #client: ApiClient | undefined;
  #token: Promise<string> | undefined;

  static async make(options: ServerOptions, folder: string): Promise<ClusterOfServers> {
    return new ClusterOfServers(options, folder, await makeClusterBackend(), await startBalancer());
  }

  private constructor(options: ServerOptions, folder: string, backend: ClusterBackend, balancer: Balancer) {
    this.#folder = folder;
    this.#backend = backend;
    this.#balancer = balancer;
    this.dataDir = options.dataDir ?? join(folder, 'data');
    // Buckets are where those of a single server would be.
    this.env = { ...backend.env, SLUICE_OBJECTS_DIR: join(this.dataDir, 'objects'), ...options.env };
    this.nodes = Array.from({ length: NODES }, (_, index) => {
      const home = join(folder, `node-${index}`);
      const env = { ...this.env, SLUICE_CLUSTER_NODE_ID: `node-${index}` };
      return new ServerProcess({ ...options, env, dataDir: join(home, 'data'), tlsFolder: folder }, home);
    });
  }

  get baseUrl(): string {
    const scheme = this.nodes[0]!.baseUrl.split(':', 1)[0]!;
    return `${scheme}://127.0.0.1:${this.#balancer.port}`;
  }

  get client(): ApiClient {
    return (this.#client ??= new ApiClient(this.baseUrl, this.ca));
  }

  get ca(): string | undefined {
    return this.nodes[0]!.ca;
  }

  get pid(): number {
    return this.nodes[0]!.pid;
  }

  get log(): string {
    return this.nodes.map(({ log }) => log).join('');
  }

  async start(): Promise<void> {
    await mkdir(this.dataDir, { recursive: true });
    // The first one makes the certificate.
    await this.nodes[0]!.start();
    await Promise.all(this.nodes.slice(1).map((node) => node.start()));
    this.#balancer.direct(this.nodes.map(({ baseUrl }) => Number(new URL(baseUrl).port)));
  }

  token(): Promise<string> {
    return (this.#token ??= this.client.login(this.credentials));
  }

  /** All of them; the answer is the first one's. */
  async kill(signal: NodeJS.Signals): Promise<number | NodeJS.Signals> {
    const ends = await Promise.all(this.nodes.map((node) => node.kill(signal)));
    return ends[0]!;
  }

  async stop(): Promise<void> {
    this.#client?.close();
    await Promise.all(this.nodes.map((node) => node.stop()));
    await this.#balancer.close();
    await this.#backend.drop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async restart(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.restart()));
    this.#balancer.direct(this.nodes.map(({ baseUrl }) => Number(new URL(baseUrl).port)));
  }
}
