/**
 * Which stream a request means, and whether its caller may use it. A stream of the caller's own project is found by name
 * or by id. A stream of another project is found by id alone, and only when a permission entry of that stream lets the
 * caller do what it wants to do: a `deny` that fits outweighs every `accept`. Without any entry for the caller the stream
 * does not exist for it.
 */
import { DomainError } from '../model/errors.ts';
import { domainIdOf, type Principal } from '../model/principal.ts';
import type { SharedAction, Stream, StreamPolicy } from '../model/stream.ts';
import type { StreamRegistry } from './stream-registry.ts';

/** `""` counts as absent in both. A name that is no name is tried as an id, since some clients put the id there. */
export interface StreamName {
  readonly name?: string | undefined;
  readonly id?: string | undefined;
}

/**
 * Throws StreamNotFound, and NotPermitted when the stream is shared with the caller, but not for `action`. `action`
 * undefined: the operation is for the stream's own project only.
 */
export function findStream(
  registry: StreamRegistry,
  caller: Principal,
  { name, id }: StreamName,
  action?: SharedAction,
): Stream {
  const own = name ? registry.find(caller.projectId, name) : undefined;
  if (own !== undefined) return own;
  const identified = registry.byId(id || name || '');
  if (identified !== undefined) {
    if (identified.projectId === caller.projectId) return identified;
    if (action !== undefined && isShared(identified, caller)) {
      if (mayUse(identified, caller, action)) return identified;
      throw new DomainError('NotPermitted', [action, identified.id]);
    }
  }
  throw new DomainError('StreamNotFound', [name || id || '', caller.projectId]);
}

/** Whether the stream is the caller's project's own, or shared with the caller for `action`. */
export function mayUse(stream: Stream, caller: Principal, action: SharedAction): boolean {
  if (stream.projectId === caller.projectId) return true;
  const fitting = stream.policies.filter((policy) => policy.action === action && fits(policy, caller));
  return fitting.some(({ effect }) => effect === 'accept') && !fitting.some(({ effect }) => effect === 'deny');
}

/** Whether any entry of the stream is about the caller. */
function isShared(stream: Stream, caller: Principal): boolean {
  return stream.policies.some((policy) => policy.effect === 'accept' && fits(policy, caller));
}

function fits({ principal }: StreamPolicy, { domain, userId }: Principal): boolean {
  if (principal === '*') return true;
  const domainId = domainIdOf(domain);
  return principal === `${domainId}.*` || principal === `${domainId}.${userId}`;
}
