/**
 * What domains, users, projects and access keys may be called. A domain has no dot and no star: permission entries write
 * a user as `domain.user` and everybody as `*`. Keys stand in `Credential=<key>/…` of a signature.
 */
import { AccountError } from './account-error.ts';

export interface NameRule {
  readonly pattern: string;
  /** What the pattern asks for, in words. */
  readonly text: string;
}

export const DOMAIN_NAME: NameRule = {
  pattern: '^[A-Za-z0-9_-]{1,64}$',
  text: '1 to 64 letters, digits, "_" and "-"',
};
export const USER_NAME: NameRule = {
  pattern: '^[A-Za-z0-9_.@-]{1,64}$',
  text: '1 to 64 letters, digits, "_", "-", "." and "@"',
};
export const PROJECT_NAME: NameRule = {
  pattern: '^[A-Za-z0-9_.-]{1,64}$',
  text: '1 to 64 letters, digits, "_", "-" and "."',
};
export const PROJECT_ID: NameRule = { pattern: '^[A-Za-z0-9]{1,64}$', text: '1 to 64 letters and digits' };
export const ACCESS_KEY: NameRule = {
  pattern: '^[A-Za-z0-9_-]{1,128}$',
  text: '1 to 128 letters, digits, "_" and "-"',
};

/** Throws AccountError for a name that breaks the rule. `what` stands at the beginning of the message. */
export function checkName({ pattern, text }: NameRule, what: string, name: string): void {
  if (!new RegExp(pattern).test(name)) throw new AccountError(`${what} "${name}": must be ${text}`);
}
