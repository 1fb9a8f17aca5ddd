/**
 * What the commands that ask a running server have in common. They are users of its HTTP API like any other, so they
 * work with every backend and from every machine; see remote-target.ts for how they find server and credentials.
 *
 * Exit codes: 0 done; 1 for a command that was carried out and whose answer is no (it says what that is); 2 for
 * one that could not be carried out: it was called wrong, the server is not reached, or refuses.
 */
import { once } from 'node:events';
import type { Command } from 'commander';
import { systemClock } from '../platform/clock.ts';
import type { Environment } from './account-command.ts';
import { explain } from './explain.ts';
import { RemoteError } from './remote-error.ts';
import { findTarget, type RemoteFlags, type RemoteTarget } from './remote-target.ts';
import { signRequest } from './sign-request.ts';

export interface RemoteCall {
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  /** Sent as JSON. */
  readonly body?: object;
  /** Ends the call, also while its answer is read; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

export const EXIT_NO = 1;
export const EXIT_FAILED = 2;

export function withRemoteFlags(command: Command): Command {
  return command
    .option('--endpoint <url>', 'the server (default: SLUICE_ENDPOINT, or where the configuration listens)')
    .option('--project <id>', 'project (default: the first user’s)')
    .option('--data-dir <dir>', 'data directory of the server, for its credentials (default: ./data)')
    .option('--config <file>', 'configuration of the server')
    .option('--json', 'print JSON');
}

/**
 * Runs `use` and prints what it returns; it may print by itself and set the exit code before that. An error is told in
 * one line.
 */
export async function runOnServer(
  flags: RemoteFlags,
  env: Environment,
  use: (remote: Remote) => Promise<string | undefined>,
): Promise<void> {
  // Whoever reads the output has seen enough of it.
  process.stdout.on('error', (error: NodeJS.ErrnoException) =>
    process.exit(error.code === 'EPIPE' ? (process.exitCode ?? 0) : EXIT_FAILED),
  );
  try {
    const remote = await Remote.connect(await findTarget(flags, env));
    await print((await use(remote)) ?? '');
  } catch (error) {
    process.stderr.write(`sluice: ${explain(error)}\n`);
    process.exitCode = EXIT_FAILED;
  }
}

/** Resolves when there is room for more: whoever prints much holds little. */
export async function print(text: string | Uint8Array): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain');
}

export class Remote {
  readonly #target: RemoteTarget;
  #token: string | undefined;
  #projectId = '';

  private constructor(target: RemoteTarget) {
    this.#target = target;
  }

  /** Logs in, where the credentials are a password, and finds the project. Throws RemoteError. */
  static async connect(target: RemoteTarget): Promise<Remote> {
    const remote = new Remote(target);
    if (target.identity.kind === 'password') await remote.#login(target.identity);
    remote.#projectId = target.projectId ?? (await remote.#onlyProject());
    return remote;
  }

  get projectId(): string {
    return this.#projectId;
  }

  /** A path below `/v2/{project}`; each part is encoded. */
  path(...parts: readonly string[]): string {
    return ['/v2', this.#projectId, ...parts].map((part, at) => (at === 0 ? part : encodeURIComponent(part))).join('/');
  }

  /** The parsed body of the answer, undefined when it has none. Throws RemoteError for every refusal. */
  async call<T = unknown>(method: string, path: string, call: RemoteCall = {}): Promise<T> {
    const answer = await this.#send(method, path, call);
    try {
      const text = await answer.text();
      return (text === '' ? undefined : JSON.parse(text)) as T;
    } catch (error) {
      throw this.#unreadable(error, call.signal);
    }
  }

  /** The bytes of an answer as they come. Throws RemoteError, also when the answer breaks off. */
  async *bytes(method: string, path: string, call: RemoteCall = {}): AsyncGenerator<Uint8Array, void, undefined> {
    const { body } = await this.#send(method, path, call);
    if (body === null) return;
    try {
      yield* body;
    } catch (error) {
      throw this.#unreadable(error, call.signal);
    }
  }

  /** The lines of an answer as they come, without their line feeds; an NDJSON answer is one value a line. */
  async *lines(method: string, path: string, call: RemoteCall = {}): AsyncGenerator<string, void, undefined> {
    const decoder = new TextDecoder();
    let rest = '';
    for await (const piece of this.bytes(method, path, call)) {
      const lines = (rest + decoder.decode(piece, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
    if (rest !== '') yield rest;
  }

  /** An answer that is a success. */
  async #send(method: string, path: string, { query = {}, body, signal }: RemoteCall): Promise<Response> {
    const url = new URL(path, this.#target.endpoint);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    // As a signature has it: URLSearchParams writes a blank as a plus sign, which stands for itself here.
    url.search = url.search.replaceAll('+', '%20');
    const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const { identity } = this.#target;
    const headers = {
      ...(bytes === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...(this.#token === undefined ? {} : { 'X-Auth-Token': this.#token }),
      ...(identity.kind === 'key' ? signRequest(identity, { method, url, body: bytes }, systemClock.now()) : {}),
    };
    let answer: Response;
    try {
      answer = await fetch(url, {
        method,
        headers,
        redirect: 'manual',
        ...(bytes === undefined ? {} : { body: bytes }),
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      throw new RemoteError(`${this.#target.endpoint} is not reached: ${reasonOf(error)}`, { cause: error });
    }
    if (!answer.ok) throw await this.#refusal(answer);
    return answer;
  }

  async #refusal(answer: Response): Promise<RemoteError> {
    const text = await answer.text().catch(() => '');
    const { errorCode, message } = parse(text) as { readonly errorCode?: string; readonly message?: string };
    if (errorCode !== undefined) return new RemoteError(`${errorCode} ${message ?? ''}`.trimEnd());
    return new RemoteError(`${this.#target.endpoint} answered ${answer.status}; is it a Sluice server?`);
  }

  #unreadable(error: unknown, signal: AbortSignal | undefined): unknown {
    if (signal?.aborted) return signal.reason;
    return new RemoteError(`the answer of ${this.#target.endpoint} broke off: ${reasonOf(error)}`, { cause: error });
  }

  async #login({ domain, user: name, password }: Extract<RemoteTarget['identity'], { kind: 'password' }>) {
    const user = { name, password, domain: { name: domain } };
    const identity = { methods: ['password'], password: { user } };
    const { projectId: id } = this.#target;
    const scope = id === undefined ? {} : { scope: { project: { id } } };
    const answer = await this.#send('POST', '/v3/auth/tokens', { body: { auth: { identity, ...scope } } });
    this.#token = answer.headers.get('X-Subject-Token') ?? undefined;
    await answer.body?.cancel();
  }

  async #onlyProject(): Promise<string> {
    const { projects } = await this.call<{ projects: { id: string; name: string }[] }>('GET', '/v3/projects');
    const [only, ...others] = projects;
    if (only !== undefined && others.length === 0) return only.id;
    throw new RemoteError(`name the --project: ${projects.map(({ id, name }) => `${id} (${name})`).join(', ')}`);
  }
}

/** What fetch keeps in the causes of its error. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (cause instanceof AggregateError && cause.errors.length > 0) return reasonOf(cause.errors[0]);
  return cause instanceof Error
    ? cause.message || ((cause as NodeJS.ErrnoException).code ?? cause.name)
    : error.message;
}

function parse(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
