/** `sluice user …`: users of the catalog. A server that runs follows within five seconds. */
import { Argument, Option, type Command } from 'commander';
import { addUser, listUsers, removeUser, setPassword, setRole } from '../auth/accounts/manage-users.ts';
import { forgetPassword } from '../auth/credentials-file.ts';
import { ROLES, type Role } from '../model/principal.ts';
import { nodeFileSystem } from '../platform/file-system.ts';
import {
  runOnAccounts,
  withCatalogFlags,
  type CatalogFlags,
  type DomainFlag,
  type Environment,
} from './account-command.ts';
import { remarkOnConfiguredPassword, remarkOnConfiguredUser } from './configured.ts';
import { printFields, printRows } from './output.ts';
import { readPassword, withPasswordFlags, type PasswordFlags } from './password-input.ts';

type Flags = CatalogFlags & DomainFlag;

const IN_DOMAIN = ['--domain <name>', 'account of the user (default: the first user’s)'] as const;
const ROLE_TEXT = 'admin: everything; operator: no records; user: no changes of streams';

export function addUserCommands(program: Command, env: Environment): void {
  const user = program.command('user').description('manage users');

  withCatalogFlags(withPasswordFlags(user.command('add <name>')))
    .description('add a user; a password that is made up is shown once')
    .option(...IN_DOMAIN)
    .addOption(new Option('--role <role>', ROLE_TEXT).choices(ROLES).default('user'))
    .action((name: string, flags: Flags & PasswordFlags & { readonly role: Role }) =>
      runOnAccounts(flags, env, async (accounts) => {
        const { domain, role, json } = flags;
        const added = await addUser(accounts, { domain, name, role, password: await readPassword(flags) });
        return printFields({ domain: added.domain, name, role, id: added.id, password: added.generated }, json);
      }),
    );

  withCatalogFlags(user.command('list'))
    .description('list users')
    .option('--domain <name>', 'only of this account')
    .action((flags: Flags) =>
      runOnAccounts(flags, env, async ({ db }) =>
        printRows(
          ['domain', 'name', 'role', 'id', 'first'],
          (await listUsers(db, flags.domain)).map((listed) => ({ ...listed })),
          flags.json,
        ),
      ),
    );

  withCatalogFlags(withPasswordFlags(user.command('set-password <name>')))
    .description('give a user another password; its tokens and temporary keys end')
    .option(...IN_DOMAIN)
    .action((name: string, flags: Flags & PasswordFlags) =>
      runOnAccounts(flags, env, async (accounts) => {
        const password = await readPassword(flags);
        const { domain, generated, first } = await setPassword(accounts, { domain: flags.domain, name, password });
        if (first) await forgetPassword(nodeFileSystem, accounts.config.data_dir);
        remarkOnConfiguredPassword(accounts.config, { domain, name, first });
        return printFields({ domain, name, password: generated }, flags.json);
      }),
    );

  withCatalogFlags(user.command('set-role <name>'))
    .description('give a user another role')
    .addArgument(new Argument('<role>', ROLE_TEXT).choices(ROLES))
    .option(...IN_DOMAIN)
    .action((name: string, role: Role, flags: Flags) =>
      runOnAccounts(flags, env, async (accounts) => {
        const { domain } = await setRole(accounts, { domain: flags.domain, name, role });
        remarkOnConfiguredUser(accounts.config, { domain, name });
        return printFields({ domain, name, role }, flags.json);
      }),
    );

  withCatalogFlags(user.command('remove <name>'))
    .description('remove a user with its keys and tokens')
    .option(...IN_DOMAIN)
    .action((name: string, flags: Flags) =>
      runOnAccounts(flags, env, async (accounts) => {
        const { domain } = await removeUser(accounts, { domain: flags.domain, name });
        remarkOnConfiguredUser(accounts.config, { domain, name });
        return printFields({ domain, name, removed: true }, flags.json);
      }),
    );
}
