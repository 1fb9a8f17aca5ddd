/** The command line: reads flags, starts the server, and turns signals into a tidy stop. */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { FirstUserError } from './auth/first-user.ts';
import { ConfigError, loadConfig } from './config.ts';
import { DataDirectoryError } from './data-directory.ts';
import { serve } from './serve.ts';

interface ServeFlags {
  readonly dataDir?: string;
  readonly listen?: string;
  readonly config?: string;
}

/** Errors whose message says what to do. */
const OPERATOR_ERRORS = [ConfigError, DataDirectoryError, FirstUserError];

const program = new Command('sluice')
  .description('Self-hosted data ingestion with the HTTP API of Huawei Cloud DIS')
  .version(packageVersion(), '-v, --version');

program
  .command('serve')
  .description('run the server')
  .option('--data-dir <dir>', 'folder of everything the server keeps (default: ./data)')
  .option('--listen <host:port>', 'address to listen on; port 0 takes a free one (default: 127.0.0.1:8080)')
  .option('--config <file>', 'YAML configuration; SLUICE_ variables and flags win over it')
  .action(runServer);

await program.parseAsync();

async function runServer({ dataDir, listen, config: file }: ServeFlags): Promise<void> {
  // Before anything is opened: a signal that comes meanwhile stops the server as soon as it runs.
  const asked = stopRequest();
  try {
    const flags = { data_dir: dataDir, listen };
    const server = await serve(loadConfig({ file, env: process.env, flags })); // eslint-disable-line no-restricted-syntax
    await asked;
    await server.close();
    process.exit(0);
  } catch (error) {
    process.stderr.write(`sluice: ${explain(error)}\n`);
    process.exit(1);
  }
}

/** Resolves at the first SIGTERM or SIGINT; a second one ends the process at once. */
function stopRequest(): Promise<void> {
  return new Promise((resolve) => {
    let asked = false;
    const onSignal = () => {
      if (asked) process.exit(1);
      asked = true;
      resolve();
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
}

/** One line for what an operator can mend; the stack of everything else. */
function explain(error: unknown): string {
  if (OPERATOR_ERRORS.some((kind) => error instanceof kind)) return (error as Error).message;
  const { code, syscall, address, port, message } = error as NodeJS.ErrnoException & {
    address?: string;
    port?: number;
  };
  if (syscall === 'listen') {
    const where = `${address}:${port}`;
    return code === 'EADDRINUSE' ? `${where} is in use by another process` : `cannot listen on ${where}: ${message}`;
  }
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function packageVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
