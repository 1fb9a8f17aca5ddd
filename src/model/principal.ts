/** Who is calling, in which project, and with which role: what authentication makes of a request. */
import { createHash } from 'node:crypto';
import { DomainError } from './errors.ts';

/** `admin` is DIS Administrator, `operator` DIS Operator, `user` DIS User. */
export const ROLES = ['admin', 'operator', 'user'] as const;
export type Role = (typeof ROLES)[number];

export interface Principal {
  readonly userId: string;
  readonly userName: string;
  /** The account (domain) of the user and the project. */
  readonly domain: string;
  readonly projectId: string;
  readonly projectName: string;
  readonly role: Role;
}

/**
 * What an operation asks of its caller. `data`: putting and reading records, cursors, adding and deleting checkpoints;
 * `streams`: making, changing, scaling, sharing and deleting streams; `server`: the server itself, for administrators;
 * `any`: every role may.
 */
export type Permission = 'data' | 'streams' | 'server' | 'any';

const DENIED: Readonly<Record<Role, readonly Permission[]>> = {
  admin: [],
  operator: ['data', 'server'],
  user: ['streams', 'server'],
};

/** Throws NotPermitted when the caller's role does not allow the operation. */
export function requirePermission({ role }: Principal, permission: Permission, operation: string): void {
  if (DENIED[role].includes(permission)) throw new DomainError('NotPermitted', [operation]);
}

/** The id of an account: accounts are known by name, so the id is made of it (32 hex digits of its SHA-256). */
export function domainIdOf(domain: string): string {
  return createHash('sha256').update(domain).digest('hex').slice(0, 32);
}
