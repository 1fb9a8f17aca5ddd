/** Keystone's login, as far as Sluice understands it: a password, for a project; and what a token stands for. */
import Type, { type Static } from 'typebox';
import { optional } from './optional.ts';

const Domain = Type.Object({ name: Type.String() });

const User = Type.Object({ name: Type.String(), password: Type.String(), domain: Domain });

const ScopeDomain = Type.Object({
  id: optional(Type.String()),
  name: optional(Type.String({ description: 'this or the id: the user’s own domain' })),
});

const Project = Type.Object({
  id: optional(Type.String()),
  name: optional(Type.String({ description: 'this or the id; neither: the oldest project of the domain' })),
  domain: optional(ScopeDomain),
});

export const CreateTokenBody = Type.Object({
  auth: Type.Object({
    identity: Type.Object({
      methods: Type.Tuple([Type.Literal('password')]),
      password: Type.Object({ user: User }),
    }),
    scope: optional(
      Type.Object(
        {
          project: optional(Project),
          domain: optional(ScopeDomain),
        },
        { description: 'a domain, or nothing, means the oldest project of the domain' },
      ),
    ),
  }),
});

export type CreateTokenBody = Static<typeof CreateTokenBody>;

/** Header of the calls that are about a token rather than made with it. */
export const SubjectTokenHeader = Type.Object({
  'X-Subject-Token': Type.String({ description: 'the token that the call is about' }),
});

export type SubjectTokenHeader = Static<typeof SubjectTokenHeader>;

const Named = Type.Object({ id: Type.String(), name: Type.String() });
const OfDomain = { id: Type.String(), name: Type.String(), domain: Named };

export const TokenReply = Type.Object({
  token: Type.Object({
    methods: Type.Array(Type.Literal('password')),
    issued_at: Type.String({ description: 'UTC, with six digits of a second' }),
    expires_at: Type.String({ description: 'UTC, with six digits of a second' }),
    project: Type.Object(OfDomain),
    user: Type.Object({ ...OfDomain, password_expires_at: Type.String({ description: 'empty: never' }) }),
    roles: Type.Array(Named, { description: 'dis_adm, dis_operator or dis_user' }),
    catalog: Type.Array(Type.Unknown()),
  }),
});
