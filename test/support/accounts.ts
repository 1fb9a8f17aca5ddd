/** Two accounts beside the first user's, with two projects each and a user of every role: as config, and as callers. */
import { hash } from 'node:crypto';
import type { Credentials } from './api-client.ts';

export const DOMAINS = ['north', 'south'] as const;
export const PROJECTS = ['one', 'two'] as const;
export const ROLES = ['admin', 'operator', 'user'] as const;

export type Domain = (typeof DOMAINS)[number];
export type ProjectName = (typeof PROJECTS)[number];
export type Role = (typeof ROLES)[number];

/** 32 letters and digits. */
export function projectId(domain: Domain, project: ProjectName): string {
  return `${domain}${project}`.padEnd(32, '0');
}

/** As the server makes it of the domain's name. */
export function domainId(domain: string): string {
  return hash('sha256', domain).slice(0, 32);
}

export function credentialsOf(domain: Domain, role: Role, project: ProjectName = 'one'): Credentials {
  return {
    projectId: projectId(domain, project),
    projectName: project,
    domain,
    user: `${role}.of.${domain}`,
    password: `password of ${role} of ${domain}`,
  };
}

/** Its requests go to the domain's first project unless they name another one. */
export function accessKeyOf(domain: Domain, role: Role): { readonly accessKey: string; readonly secretKey: string } {
  const accessKey = `${domain}${role}`.toUpperCase();
  return { accessKey, secretKey: `secret of ${accessKey}` };
}

/** What goes under `accounts` in the config of a server. */
export const ACCOUNTS = DOMAINS.map((domain) => ({
  domain,
  projects: PROJECTS.map((name) => ({ id: projectId(domain, name), name })),
  users: ROLES.map((role) => {
    const { user: name, password } = credentialsOf(domain, role);
    const { accessKey: access_key, secretKey: secret_key } = accessKeyOf(domain, role);
    return { name, password, role, access_keys: [{ access_key, secret_key, project: 'one' }] };
  }),
}));
