/** `sluice serve`: starts the server and turns signals into a tidy stop. */
import type { Command } from 'commander';
import { loadConfig } from '../config.ts';
import { explain } from './explain.ts';
import type { Environment } from './account-command.ts';

interface ServeFlags {
  readonly dataDir?: string;
  readonly listen?: string;
  readonly config?: string;
}

export function addServeCommand(program: Command, env: Environment): void {
  program
    .command('serve')
    .description('run the server')
    .option('--data-dir <dir>', 'folder of everything the server keeps (default: ./data)')
    .option('--listen <host:port>', 'address to listen on; port 0 takes a free one (default: 127.0.0.1:8080)')
    .option('--config <file>', 'YAML configuration; SLUICE_ variables and flags win over it')
    .action((flags: ServeFlags) => runServer(flags, env));
}

async function runServer({ dataDir, listen, config: file }: ServeFlags, env: Environment): Promise<void> {
  // Before anything is opened: a signal that comes meanwhile stops the server as soon as it runs.
  const asked = stopRequest();
  try {
    // Not loaded by the other commands, which are done in the time that it takes.
    const { serve } = await import('../serve.ts');
    const server = await serve(loadConfig({ file, env, flags: { data_dir: dataDir, listen } }));
    process.on('SIGHUP', () => server.reload());
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
