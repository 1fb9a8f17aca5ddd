/** The calls of IAM that DIS clients make: projects, domains, temporary access keys. */
import Type, { type Static } from 'typebox';
import { TEMPORARY_KEY_LIFE } from '../../auth/temporary-keys.ts';
import { optional } from './optional.ts';

const Links = Type.Object({}, { description: 'empty: there is one page' });

export const ProjectsReply = Type.Object({
  projects: Type.Array(
    Type.Object({
      id: Type.String(),
      name: Type.String(),
      domain_id: Type.String(),
      parent_id: Type.String({ description: 'the domain: projects have no others in them' }),
      is_domain: Type.Boolean(),
      enabled: Type.Boolean(),
      description: Type.String(),
      links: Links,
    }),
    { description: 'the oldest first' },
  ),
  links: Links,
});

export const DomainsReply = Type.Object({
  domains: Type.Array(
    Type.Object({
      id: Type.String({ description: '32 hex digits' }),
      name: Type.String(),
      enabled: Type.Boolean(),
      description: Type.String(),
      links: Links,
    }),
  ),
  links: Links,
});

const { min: minimum, max: maximum, fallback } = TEMPORARY_KEY_LIFE;
const Seconds = optional(Type.Integer({ minimum, maximum, description: `default ${fallback}` }));

export const CreateSecurityTokenBody = Type.Object({
  auth: Type.Object({
    identity: Type.Object({
      methods: Type.Tuple([Type.Literal('token')]),
      token: optional(
        Type.Object({
          id: optional(Type.String({ description: 'whose keys to make; absent: the caller’s' })),
          duration_seconds: Seconds,
        }),
      ),
      policy: optional(Type.Unknown({ description: 'refused: keys are not narrowed' })),
    }),
  }),
});

export type CreateSecurityTokenBody = Static<typeof CreateSecurityTokenBody>;

export const SecurityTokenReply = Type.Object({
  credential: Type.Object({
    access: Type.String(),
    secret: Type.String(),
    securitytoken: Type.String({ description: 'to be sent as X-Security-Token with every request' }),
    expires_at: Type.String({ description: 'UTC, with six digits of a second' }),
  }),
});
