/** Access keys, as an operator manages them. A secret is told once, when it is made. */
import type { Kysely } from 'kysely';
import {
  deleteAccessKey,
  insertAccessKey,
  selectListedKeys,
  type ListedAccessKey,
  type ListedKeysFilter,
} from '../../catalog/access-keys.ts';
import type { Database } from '../../catalog/schema.ts';
import { newAccessKey, newSecretKey } from '../new-secrets.ts';
import { domainOrFirst, findProject, findUser, type AccountContext } from './account-context.ts';
import { AccountError } from './account-error.ts';
import type { UserName } from './manage-users.ts';

export interface NewKey {
  readonly accessKey: string;
  readonly secretKey: string;
  readonly domain: string;
  readonly projectName: string;
  readonly projectId: string;
}

/** Temporary keys too. */
export function listKeys(db: Kysely<Database>, filter: ListedKeysFilter): Promise<ListedAccessKey[]> {
  return selectListedKeys(db, filter);
}

/** `project`: name or id; absent: the oldest one of the domain. Throws AccountError. */
export async function addKey(
  { db: catalog, clock, random }: AccountContext,
  { domain: given, name, project: nameOrId }: UserName & { readonly project?: string | undefined },
): Promise<NewKey> {
  return catalog.transaction().execute(async (db) => {
    const domain = await domainOrFirst(db, given);
    const { id: userId } = await findUser(db, domain, name);
    const project = await findProject(db, domain, nameOrId);
    const key = { accessKey: newAccessKey(random), secretKey: newSecretKey(random) };
    await insertAccessKey(db, { ...key, userId, projectId: project.id }, clock.now());
    return { ...key, domain, projectName: project.name, projectId: project.id };
  });
}

/** Throws AccountError when there is no such key. */
export async function removeKey({ db }: AccountContext, accessKey: string): Promise<void> {
  if (!(await deleteAccessKey(db, accessKey))) throw new AccountError(`there is no access key ${accessKey}`);
}
