/** A token as Keystone describes it, at its creation and later. */
import type { TokenPrincipal } from '../../../auth/tokens.ts';
import { domainIdOf, type Role } from '../../../model/principal.ts';
import { isoMicroseconds } from '../../iso-time.ts';

/** Names of the cloud service. */
const ROLE_NAMES: Readonly<Record<Role, string>> = { admin: 'dis_adm', operator: 'dis_operator', user: 'dis_user' };

export function tokenReply(principal: TokenPrincipal) {
  const { userId, userName, role, projectId, projectName, issuedAt, expiresAt } = principal;
  const domain = { id: domainIdOf(principal.domain), name: principal.domain };
  return {
    token: {
      methods: ['password'] as 'password'[],
      issued_at: isoMicroseconds(issuedAt),
      expires_at: isoMicroseconds(expiresAt),
      project: { id: projectId, name: projectName, domain },
      user: { id: userId, name: userName, domain, password_expires_at: '' },
      roles: [{ id: role, name: ROLE_NAMES[role] }],
      catalog: [],
    },
  };
}
