/** `sluice key …`: access keys of the catalog. A server that runs follows within five seconds. */
import type { Command } from 'commander';
import { addKey, listKeys, removeKey } from '../auth/accounts/manage-keys.ts';
import {
  runOnAccounts,
  withCatalogFlags,
  type CatalogFlags,
  type DomainFlag,
  type Environment,
} from './account-command.ts';
import { remarkOnConfiguredKey } from './configured.ts';
import { printFields, printRows } from './output.ts';

type Flags = CatalogFlags & DomainFlag;

export function addKeyCommands(program: Command, env: Environment): void {
  const key = program.command('key').description('manage access keys');

  withCatalogFlags(key.command('add <user>'))
    .description('make an access key; its secret is shown once')
    .option('--domain <name>', 'account of the user (default: the first user’s)')
    .option('--project <name or id>', 'where requests go that name no project (default: the oldest of the account)')
    .action((name: string, flags: Flags & { readonly project?: string }) =>
      runOnAccounts(flags, env, async (accounts) => {
        const { domain, project, json } = flags;
        const added = await addKey(accounts, { domain, name, project });
        const fields = {
          domain: added.domain,
          user: name,
          project: added.projectName,
          project_id: added.projectId,
          access_key: added.accessKey,
          secret_key: added.secretKey,
        };
        return printFields(fields, json);
      }),
    );

  withCatalogFlags(key.command('list'))
    .description('list access keys, temporary ones too')
    .option('--domain <name>', 'only of this account')
    .option('--user <name>', 'only of users of this name')
    .action((flags: Flags & { readonly user?: string }) =>
      runOnAccounts(flags, env, async ({ db }) => {
        const keys = await listKeys(db, { domain: flags.domain, userName: flags.user });
        const rows = keys.map((listed) => ({
          access_key: listed.accessKey,
          domain: listed.domain,
          user: listed.userName,
          project: listed.projectName,
          created: new Date(listed.createdAt).toISOString(),
          expires: listed.expiresAt === null ? 'never' : new Date(listed.expiresAt).toISOString(),
        }));
        return printRows(['access_key', 'domain', 'user', 'project', 'created', 'expires'], rows, flags.json);
      }),
    );

  withCatalogFlags(key.command('remove <access-key>'))
    .description('remove an access key')
    .action((accessKey: string, flags: CatalogFlags) =>
      runOnAccounts(flags, env, async (accounts) => {
        await removeKey(accounts, accessKey);
        remarkOnConfiguredKey(accounts.config, accessKey);
        return printFields({ access_key: accessKey, removed: true }, flags.json);
      }),
    );
}
