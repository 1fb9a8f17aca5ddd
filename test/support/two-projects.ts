/** A server with two projects of one domain: its first user may log in to both. */
import type { Target } from './api-client.ts';
import { CREDENTIALS, startServer, type ServerOptions, type TestServer } from './server.ts';

export interface TwoProjects extends Target {
  /** The project that is not the one of `credentials`. */
  readonly otherProjectId: string;
}

export interface TwoProjectServer {
  readonly server: TestServer;
  readonly target: TwoProjects;
  /** Ends the server and removes its data. */
  stop(): Promise<void>;
}

const OTHER_PROJECT = 'fedcba9876543210fedcba9876543210';

export async function startWithTwoProjects(options: ServerOptions = {}): Promise<TwoProjectServer> {
  const accounts = [{ domain: CREDENTIALS.domain, projects: [{ id: OTHER_PROJECT, name: 'other' }] }];
  const server = await startServer({ ...options, config: { ...options.config, accounts } });
  return {
    server,
    target: { baseUrl: server.baseUrl, credentials: server.credentials, otherProjectId: OTHER_PROJECT },
    stop: () => server.stop(),
  };
}
