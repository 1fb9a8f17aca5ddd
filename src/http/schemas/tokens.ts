/** The body of Keystone's login, as far as Sluice understands it: a password, for a project. */
import Type, { type Static } from 'typebox';
import { optional } from './optional.ts';

const Domain = Type.Object({ name: Type.String() });

const User = Type.Object({ name: Type.String(), password: Type.String(), domain: Domain });

const Project = Type.Object({
  id: optional(Type.String()),
  name: optional(Type.String()),
  domain: optional(Type.Object({ name: optional(Type.String()) })),
});

export const CreateTokenBody = Type.Object({
  auth: Type.Object({
    identity: Type.Object({
      methods: Type.Tuple([Type.Literal('password')]),
      password: Type.Object({ user: User }),
    }),
    scope: optional(Type.Object({ project: optional(Project) })),
  }),
});

export type CreateTokenBody = Static<typeof CreateTokenBody>;
