/**
 * Which server a command talks to, and as whom: what the flags say, or the configuration and the data directory that
 * `serve` itself would use, if they are at hand. SLUICE_ENDPOINT is the --endpoint of whoever has none of them; it is no key
 * of the configuration, since it says nothing to a server.
 */
import { readCredentials, type Credentials } from '../auth/credentials-file.ts';
import { loadConfig, type Config } from '../config.ts';
import { nodeFileSystem } from '../platform/file-system.ts';
import type { Environment } from './account-command.ts';
import { RemoteError } from './remote-error.ts';
import type { AccessKey } from './sign-request.ts';

export interface RemoteFlags {
  readonly endpoint?: string;
  readonly project?: string;
  readonly dataDir?: string;
  readonly config?: string;
  readonly json?: boolean;
}

/** What a request is allowed by: an access key signs each, a password gets a token. */
export type RemoteIdentity =
  | ({ readonly kind: 'key' } & AccessKey)
  | { readonly kind: 'password'; readonly domain: string; readonly user: string; readonly password: string };

export interface RemoteTarget {
  /** Without a slash at its end. */
  readonly endpoint: string;
  readonly identity: RemoteIdentity;
  /** Undefined: the only one of the account. */
  readonly projectId: string | undefined;
}

/** Throws RemoteError and ConfigError. */
export async function findTarget(flags: RemoteFlags, env: Environment): Promise<RemoteTarget> {
  const config = loadConfig({ file: flags.config, env, flags: { data_dir: flags.dataDir } });
  const kept = await readKept(config.data_dir);
  const endpoint = flags.endpoint ?? (env['SLUICE_ENDPOINT'] || ownEndpoint(config));
  return {
    endpoint: checkEndpoint(endpoint),
    identity: identityOf(config, kept),
    projectId: flags.project ?? config.project_id ?? kept.project_id,
  };
}

/** What the server made up at its first start; nothing where there is no such server. */
async function readKept(folder: string): Promise<Credentials> {
  try {
    return await readCredentials(nodeFileSystem, folder);
  } catch (error) {
    throw new RemoteError((error as Error).message, { cause: error });
  }
}

function identityOf(config: Config, kept: Credentials): RemoteIdentity {
  const accessKey = config.access_key ?? kept.access_key;
  const secretKey = config.secret_key ?? kept.secret_key;
  if (accessKey !== undefined && secretKey !== undefined) return { kind: 'key', accessKey, secretKey };
  const user = config.user ?? kept.user;
  const password = config.password ?? kept.password;
  const domain = config.domain ?? kept.domain;
  if (user !== undefined && password !== undefined && domain !== undefined) {
    return { kind: 'password', domain, user, password };
  }
  throw new RemoteError(
    `no credentials: name the server's --data-dir or --config, or set SLUICE_ACCESS_KEY and SLUICE_SECRET_KEY`,
  );
}

/** Where a server with this configuration is reached from its own machine. */
function ownEndpoint({ host, port, tls, listen }: Config): string {
  if (port === 0) throw new RemoteError(`listen is ${listen}: name the server's --endpoint`);
  const reached = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `${tls.cert === undefined ? 'http' : 'https'}://${reached.includes(':') ? `[${reached}]` : reached}:${port}`;
}

function checkEndpoint(text: string): string {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) throw new RemoteError(`${text} is no http or https URL`);
  if (url.pathname !== '/' || url.search !== '') throw new RemoteError(`${text}: the endpoint has no path`);
  return url.origin;
}
