/** The `accounts` of the config: domains with their projects, users and access keys. */
import Type, { type Static } from 'typebox';
import { ROLES, type Role } from '../../model/principal.ts';
import { ACCESS_KEY, DOMAIN_NAME, PROJECT_ID, PROJECT_NAME, USER_NAME, type NameRule } from './account-names.ts';

const name = ({ pattern }: NameRule, description: string) => Type.String({ pattern, description });

const ProjectSettings = Type.Object(
  {
    id: Type.Optional(name(PROJECT_ID, 'made up when absent; with it the project can be renamed')),
    name: name(PROJECT_NAME, 'unique in its domain; SDKs look for a project with the name of their region'),
  },
  { additionalProperties: false },
);

const KeySettings = Type.Object(
  {
    access_key: name(ACCESS_KEY, 'unique in the whole server'),
    secret_key: Type.String({ minLength: 1 }),
    project: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'name or id: where requests go that name no project; absent: the oldest',
      }),
    ),
  },
  { additionalProperties: false },
);

const UserSettings = Type.Object(
  {
    name: name(USER_NAME, 'unique in its domain'),
    password: Type.Optional(
      Type.String({ minLength: 1, description: 'absent: a new user has none, and cannot log in' }),
    ),
    role: Type.Unsafe<Role>({
      type: 'string',
      enum: [...ROLES],
      default: 'user',
      description: 'admin, operator (no data) or user (no changes of streams)',
    }),
    access_keys: Type.Array(KeySettings, { default: [] }),
  },
  { additionalProperties: false },
);

const AccountSettings = Type.Object(
  {
    domain: name(DOMAIN_NAME, 'name of the account'),
    projects: Type.Array(ProjectSettings, { default: [] }),
    users: Type.Array(UserSettings, { default: [] }),
  },
  { additionalProperties: false },
);

export const AccountsSchema = Type.Array(AccountSettings, {
  default: [],
  description: 'accounts beside the first user’s, or more of it: what is removed here stays until the CLI removes it',
});

export type ProjectSettings = Static<typeof ProjectSettings>;
export type KeySettings = Static<typeof KeySettings>;
export type UserSettings = Static<typeof UserSettings>;
export type AccountSettings = Static<typeof AccountSettings>;
