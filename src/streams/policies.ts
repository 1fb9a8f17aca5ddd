/**
 * The permission entries of a stream: what other accounts may do with it (see stream-access.ts for how they are
 * weighed). A change counts from the moment it is answered, for cursors too that were taken before.
 */
import type { Catalog } from '../catalog/catalog.ts';
import { deletePolicy, insertPolicies } from '../catalog/stream-policies.ts';
import { DomainError } from '../model/errors.ts';
import type { Limits } from '../model/limits.ts';
import type { SharedAction, Stream, StreamPolicy } from '../model/stream.ts';
import type { Clock } from '../platform/clock.ts';
import { findPrincipal, resolvePrincipals, splitPrincipals, type PrincipalList } from './policy-principals.ts';
import type { StreamChanges } from './stream-changes.ts';

export interface PolicyDeps {
  readonly catalog: Catalog;
  readonly streamChanges: StreamChanges;
  readonly limits: Limits;
  readonly clock: Clock;
}

/** One entry for each principal of the list. */
export interface PolicyRequest {
  /** Must be the id of the stream that the path names. */
  readonly streamId: string;
  readonly principals: PrincipalList;
  readonly action: SharedAction;
  readonly effect: StreamPolicy['effect'];
}

/**
 * Adds entries; those that are there already stay as they are. Throws InvalidBody, QuotaExceeded when the stream would
 * have too many entries (then none is added), and StreamNotFound.
 */
export async function addPolicies(deps: PolicyDeps, stream: Stream, request: PolicyRequest): Promise<void> {
  const { catalog, streamChanges, limits, clock } = deps;
  checkStreamId(stream, request);
  const principals = await resolvePrincipals(catalog.db, request.principals, limits.policies_per_stream);
  await streamChanges.run(stream, async (current, transaction) => {
    const { action, effect } = request;
    const wanted = principals.map((principal): StreamPolicy => ({ ...principal, action, effect }));
    const added = wanted.filter((policy) => !current.policies.some((known) => isSame(known, policy)));
    if (added.length === 0) return current;
    const policies = [...current.policies, ...added];
    if (policies.length > limits.policies_per_stream) {
      throw new DomainError('QuotaExceeded', ['policies', limits.policies_per_stream]);
    }
    await insertPolicies(transaction, stream.number, added, clock.now());
    return { ...current, policies };
  });
}

/**
 * Removes entries; those that are not there are none already. An entry about somebody who does not exist any more is
 * found by the name under which it was added. Throws InvalidBody, also for a name that means neither somebody nor an
 * entry, and StreamNotFound.
 */
export async function removePolicies(deps: PolicyDeps, stream: Stream, request: PolicyRequest): Promise<void> {
  const { catalog, streamChanges, limits } = deps;
  checkStreamId(stream, request);
  const { member, parts, byId } = splitPrincipals(request.principals, limits.policies_per_stream);
  const found = new Map<string, string | undefined>();
  for (const part of parts) found.set(part, (await findPrincipal(catalog.db, part, byId))?.principal);
  await streamChanges.run(stream, async (current, transaction) => {
    const gone = new Set<StreamPolicy>();
    for (const [part, principal] of found) {
      const meant = current.policies.filter((policy) =>
        principal === undefined ? isNamed(policy, part) : policy.principal === principal,
      );
      if (principal === undefined && meant.length === 0) {
        throw new DomainError('InvalidBody', [member, part.slice(0, 64), 'does not exist']);
      }
      for (const policy of meant) {
        if (policy.action === request.action && policy.effect === request.effect) gone.add(policy);
      }
    }
    if (gone.size === 0) return current;
    for (const policy of gone) await deletePolicy(transaction, stream.number, policy);
    return { ...current, policies: current.policies.filter((policy) => !gone.has(policy)) };
  });
}

function checkStreamId(stream: Stream, { streamId }: PolicyRequest): void {
  if (streamId !== stream.id) throw new DomainError('InvalidBody', ['stream_id', 'is not the id of the stream']);
}

function isSame(a: StreamPolicy, b: StreamPolicy): boolean {
  return a.principal === b.principal && a.action === b.action && a.effect === b.effect;
}

/** `domain` and `domain.*` are one name. */
function isNamed({ principal, principalName }: StreamPolicy, name: string): boolean {
  return principal === name || principalName.replace(/\.\*$/, '') === name.replace(/\.\*$/, '');
}
