/** Callers for tests that come in below HTTP. */
import type { Principal } from '../../src/model/principal.ts';

export function makePrincipal(members: Partial<Principal> = {}): Principal {
  return {
    userId: 'user',
    userName: 'alice',
    domain: 'acme',
    projectId: 'project',
    projectName: 'default',
    role: 'admin',
    ...members,
  };
}
