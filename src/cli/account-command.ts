/**
 * What the commands that manage accounts have in common: their flags, the catalog that they open beside a server or
 * without one, and how they end. They write to the catalog directly, so they need no credentials but the right to its
 * file, and a server need not run.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { AccountContext } from '../auth/accounts/account-context.ts';
import { AccountError } from '../auth/accounts/account-error.ts';
import { Passwords } from '../auth/passwords.ts';
import { isMigrated } from '../catalog/migrate.ts';
import { CATALOG_FILE } from '../catalog/sqlite/open.ts';
import { loadConfig, type Config } from '../config.ts';
import { openCatalog } from '../open-catalog.ts';
import { systemClock as clock } from '../platform/clock.ts';
import { systemRandom as random } from '../platform/random.ts';
import { explain } from './explain.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface CatalogFlags {
  readonly dataDir?: string;
  readonly config?: string;
  readonly json?: boolean;
}

export interface DomainFlag {
  readonly domain?: string;
}

export interface Accounts extends AccountContext {
  readonly config: Config;
}

export function withCatalogFlags(command: Command): Command {
  return command
    .option('--data-dir <dir>', 'data directory of the server (default: ./data)')
    .option('--config <file>', 'configuration of the server')
    .option('--json', 'print JSON');
}

/** Runs `use` and prints what it returns; an error is told in one line and sets the exit code to 1. */
export async function runOnAccounts(
  flags: CatalogFlags,
  env: Environment,
  use: (accounts: Accounts) => Promise<string>,
): Promise<void> {
  try {
    process.stdout.write(await openAccounts(flags, env, use));
  } catch (error) {
    process.stderr.write(`sluice: ${explain(error)}\n`);
    process.exitCode = 1;
  }
}

async function openAccounts(
  { dataDir, config: file }: CatalogFlags,
  env: Environment,
  use: (accounts: Accounts) => Promise<string>,
): Promise<string> {
  const config = loadConfig({ file, env, flags: { data_dir: dataDir } });
  const place = whereCatalogIs(config);
  const catalog = await openCatalog({
    config,
    name: 'sluice command',
    onIdleError: () => {
      // The next statement tells.
    },
  });
  try {
    // A server that still runs an older version must not have its tables changed under it.
    if (!(await isMigrated(catalog.db))) {
      throw new AccountError(`${place} is of another version of sluice: start the server of this version first`);
    }
    return await use({ db: catalog.db, clock, random, passwords: new Passwords({ random }), config });
  } finally {
    await catalog.close();
  }
}

/** For messages. Throws AccountError when there is none. */
function whereCatalogIs({ data_dir, postgres }: Config): string {
  if (postgres.url !== undefined) return 'the catalog';
  const path = join(data_dir, CATALOG_FILE);
  if (!existsSync(path)) throw new AccountError(`there is no ${path}: start the server once, or name its --data-dir`);
  return path;
}
