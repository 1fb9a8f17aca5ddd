/** Signatures over a catalog of their own, with one account: for tests that come in below HTTP. */
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { Signatures, type RequestHead, type SignaturesOptions } from '../../src/auth/signature/signatures.ts';
import { insertAccessKey } from '../../src/catalog/access-keys.ts';
import { insertProject } from '../../src/catalog/projects.ts';
import { insertUser } from '../../src/catalog/users.ts';
import type { Principal } from '../../src/model/principal.ts';
import { openTestCatalog, type TestCatalog } from './catalog.ts';
import { ManualClock } from './manual-clock.ts';
import { signRequest, type RequestSigner, type RequestToSign, type SigningHabits } from './sign.ts';

export const ACCOUNT = {
  user: { id: 'u1', domain: 'd', name: 'ann', passwordHash: '', role: 'operator' },
  project: { id: 'p1', domain: 'd', name: 'first' },
  secondProject: { id: 'p2', domain: 'd', name: 'second' },
  foreignProject: { id: 'p3', domain: 'e', name: 'first' },
  secretKey: 'secret/of ünï+ann',
  permanent: 'PERMANENT',
  temporary: 'TEMPORARY',
  securityToken: 'security.token==',
} as const;

/** Life of the temporary key, from where the clock starts. */
export const TEMPORARY_LIFE_MS = 3_600_000;

export interface SignaturesRig {
  readonly catalog: TestCatalog;
  readonly clock: ManualClock;
  readonly signatures: Signatures;
  /** A second one over the same catalog. */
  make(options?: Partial<SignaturesOptions>): Signatures;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface RigOptions extends Partial<SignaturesOptions> {
  /** Of both keys. */
  readonly secretKey?: string;
  readonly permanent?: string;
  readonly temporary?: string;
  readonly securityToken?: string;
  readonly projectId?: string;
  /** Where the clock starts. */
  readonly now?: number;
}

export async function openSignatures(options: RigOptions = {}): Promise<SignaturesRig> {
  const { secretKey, permanent, temporary, securityToken, projectId, now, ...rest } = {
    ...ACCOUNT,
    projectId: ACCOUNT.project.id,
    ...options,
  };
  const catalog = await openTestCatalog();
  const clock = new ManualClock(now);
  const { db } = catalog;
  await insertUser(db, ACCOUNT.user, 0);
  await insertProject(db, { ...ACCOUNT.project, id: projectId }, 0);
  await insertProject(db, ACCOUNT.secondProject, 0);
  await insertProject(db, ACCOUNT.foreignProject, 0);
  const key = { secretKey, userId: ACCOUNT.user.id, projectId };
  await insertAccessKey(db, { ...key, accessKey: permanent }, 0);
  const terms = {
    securityTokenHash: createHash('sha256').update(securityToken).digest('hex'),
    expiresAt: clock.now() + TEMPORARY_LIFE_MS,
  };
  await insertAccessKey(db, { ...key, accessKey: temporary }, 0, terms);
  const make = (more: Partial<SignaturesOptions> = {}) =>
    new Signatures({ db, clock, unsignedPayload: false, ...rest, ...more });
  return { catalog, clock, signatures: make(), make, [Symbol.asyncDispose]: () => catalog.close() };
}

/** A request as it arrives: signed by `signer`, then changed by `tamper`. */
export interface ArrivingRequest extends RequestHead {
  readonly body: Buffer;
}

/** Signs a request to `path`, its query included, and makes of it what Node would hand over. */
export function arrive(
  signer: RequestSigner,
  request: Omit<RequestToSign, 'url'> & { readonly path: string; readonly projectId?: string | undefined },
  habits: SigningHabits = {},
): ArrivingRequest {
  const { method, path, body, projectId } = request;
  const host = '127.0.0.1:8080';
  const signed = signRequest(signer, { ...request, url: `http://${host}${path}` }, habits);
  const headers: IncomingHttpHeaders = { host };
  for (const [name, value] of Object.entries(signed)) headers[name.toLowerCase()] = value;
  return { method, target: path, headers, projectId, body: Buffer.from(body ?? '') };
}

export async function verify(signatures: Signatures, { body, ...head }: ArrivingRequest): Promise<Principal> {
  const signed = await signatures.begin(head);
  return await signed.verify(body.length === 0 ? undefined : body);
}
