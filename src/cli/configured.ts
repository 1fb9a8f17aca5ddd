/** What the configuration sets at every start: a change made here lasts until then, which is worth a remark. */
import type { Config } from '../config.ts';
import { remark } from './output.ts';

interface UserOfDomain {
  readonly domain: string;
  readonly name: string;
}

export function remarkOnConfiguredUser(config: Config, { domain, name }: UserOfDomain): void {
  if (configuredUser(config, domain, name) !== undefined) remarkOn(`user "${name}" of domain "${domain}"`);
}

/** `first`: it is the first user's. */
export function remarkOnConfiguredPassword(config: Config, user: UserOfDomain & { readonly first: boolean }): void {
  const configured = user.first ? config.password : configuredUser(config, user.domain, user.name)?.password;
  if (configured !== undefined) remarkOn(`the password of "${user.name}"`);
}

export function remarkOnConfiguredKey(config: Config, accessKey: string): void {
  const keys = config.accounts.flatMap(({ users }) => users.flatMap(({ access_keys }) => access_keys));
  const names = [config.access_key, ...keys.map(({ access_key }) => access_key)];
  if (names.includes(accessKey)) remarkOn(`access key ${accessKey}`);
}

export function remarkOnConfiguredProject(config: Config, domain: string, name: string): void {
  const accounts = config.accounts.filter((account) => account.domain === domain);
  if (accounts.some(({ projects }) => projects.some((project) => project.name === name))) {
    remarkOn(`project "${name}" of domain "${domain}"`);
  }
}

function configuredUser({ accounts }: Config, domain: string, name: string) {
  return accounts
    .filter((account) => account.domain === domain)
    .flatMap(({ users }) => users)
    .find((user) => user.name === name);
}

function remarkOn(what: string): void {
  remark(`the configuration names ${what}: the next start of the server goes by it`);
}
