/**
 * Whom a permission entry is about: the names and ids that callers write, resolved to what entries are compared by.
 * Names are `domain` or `domain.*` for everybody in an account, `domain.user` for one user, and `*` for everybody; ids are
 * those of accounts. Both come as lists with commas. An account or user that does not exist is refused: an entry about
 * nobody is a mistake, and would begin to mean somebody when the name is taken later.
 */
import type { Kysely } from 'kysely';
import { selectDomains } from '../catalog/domains.ts';
import type { Database } from '../catalog/schema.ts';
import { selectUser, selectUserByName } from '../catalog/users.ts';
import { DomainError } from '../model/errors.ts';
import { domainIdOf } from '../model/principal.ts';
import type { StreamPolicy } from '../model/stream.ts';

export type PolicyPrincipal = Pick<StreamPolicy, 'principal' | 'principalName'>;

/** Either of them; `""` counts as absent. */
export interface PrincipalList {
  readonly names?: string | undefined;
  readonly ids?: string | undefined;
}

const EVERYBODY: PolicyPrincipal = { principal: '*', principalName: '*' };
const WHOLE_DOMAIN = '.*';
const DOMAIN_ID_LENGTH = 32;

/**
 * In the order of the list, each once. Throws InvalidBody when there is none, when one does not exist, and when there are
 * more than `max`.
 */
export async function resolvePrincipals(
  db: Kysely<Database>,
  list: PrincipalList,
  max: number,
): Promise<PolicyPrincipal[]> {
  const { member, parts, byId } = splitPrincipals(list, max);
  const found = new Map<string, PolicyPrincipal>();
  for (const part of parts) {
    const principal = await findPrincipal(db, part, byId);
    if (principal === undefined) throw new DomainError('InvalidBody', [member, part.slice(0, 64), 'does not exist']);
    if (!found.has(principal.principal)) found.set(principal.principal, principal);
  }
  return [...found.values()];
}

/** Throws InvalidBody when there is none, and when there are more than `max`. */
export function splitPrincipals({ names, ids }: PrincipalList, max: number) {
  const member = names ? 'principal_name' : 'principal_id';
  const text = names || ids;
  if (!text) throw new DomainError('InvalidBody', ['principal_name', 'is missing']);
  const parts = text.split(',', max + 1).map((part) => part.trim());
  if (parts.includes('')) throw new DomainError('InvalidBody', [member, 'must be names between commas']);
  if (parts.length > max) throw new DomainError('InvalidBody', [member, `must be at most ${max}`]);
  return { member, parts, byId: !names };
}

/** Undefined when there is nobody of that name or id. */
export async function findPrincipal(
  db: Kysely<Database>,
  part: string,
  byId: boolean,
): Promise<PolicyPrincipal | undefined> {
  if (part === '*') return EVERYBODY;
  const domains = await selectDomains(db);
  return byId ? findById(db, domains, part) : findByName(db, domains, part);
}

/** `domain.user` may be read in several ways when names have dots: an account counts before a user, a longer account first. */
async function findByName(
  db: Kysely<Database>,
  domains: readonly string[],
  name: string,
): Promise<PolicyPrincipal | undefined> {
  const whole = domains.find((domain) => name === domain || name === domain + WHOLE_DOMAIN);
  if (whole !== undefined) return { principal: domainIdOf(whole) + WHOLE_DOMAIN, principalName: name };
  const owners = domains.filter((domain) => name.startsWith(`${domain}.`)).sort((a, b) => b.length - a.length);
  for (const domain of owners) {
    const user = await selectUserByName(db, domain, name.slice(domain.length + 1));
    if (user !== undefined) return { principal: `${domainIdOf(domain)}.${user.id}`, principalName: name };
  }
  return undefined;
}

/** An account's id, alone or as an entry shows it: followed by `.*` or by `.` and a user's id. */
async function findById(
  db: Kysely<Database>,
  domains: readonly string[],
  id: string,
): Promise<PolicyPrincipal | undefined> {
  const domain = domains.find((candidate) => domainIdOf(candidate) === id.slice(0, DOMAIN_ID_LENGTH));
  if (domain === undefined) return undefined;
  const rest = id.slice(DOMAIN_ID_LENGTH);
  if (rest === '' || rest === WHOLE_DOMAIN) {
    return { principal: domainIdOf(domain) + WHOLE_DOMAIN, principalName: domain + WHOLE_DOMAIN };
  }
  const user = rest.startsWith('.') ? await selectUser(db, rest.slice(1)) : undefined;
  return user?.domain === domain ? { principal: id, principalName: `${domain}.${user.name}` } : undefined;
}
