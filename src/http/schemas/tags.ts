/** Bodies and answers of the tag operations. */
import Type, { type Static } from 'typebox';
import { optional } from './optional.ts';

const TagReply = Type.Object({ key: Type.String(), value: Type.String() });

/** A tag without a value has the value "". */
const Tag = Type.Object({ key: Type.String(), value: optional(Type.String()) });

export const AddTagBody = Type.Object({ tag: Tag });
export type AddTagBody = Static<typeof AddTagBody>;

/** `action` is create or delete; any other one is refused by its own code. */
export const ChangeTagsBody = Type.Object({
  action: Type.String({ description: 'create or delete' }),
  tags: Type.Array(Tag, { minItems: 1 }),
});
export type ChangeTagsBody = Static<typeof ChangeTagsBody>;

export const StreamTagsReply = Type.Object({ tags: Type.Array(TagReply) });

export const ProjectTagsReply = Type.Object({
  tags: Type.Array(Type.Object({ key: Type.String(), values: Type.Array(Type.String()) })),
});

const Filters = optional(
  Type.Array(Type.Object({ key: Type.String(), values: optional(Type.Array(Type.String())) }), {
    description: 'at most 10 keys with 10 values each; no values: any',
  }),
);
/** The documents say text, their readers send numbers. */
const Count = (description: string) => optional(Type.Union([Type.String(), Type.Integer()], { description }));

export const FindByTagsBody = Type.Object({
  action: Type.String({ description: 'filter or count' }),
  limit: Count('streams of the page, 1 to 1000, default 1000'),
  offset: Count('streams before the page, default 0'),
  tags: Filters,
  tags_any: Filters,
  not_tags: Filters,
  not_tags_any: Filters,
  matches: optional(
    Type.Array(Type.Object({ key: Type.String({ description: 'resource_name' }), value: optional(Type.String()) })),
  ),
});
export type FindByTagsBody = Static<typeof FindByTagsBody>;

export const FindByTagsReply = Type.Object({
  resources: Type.Optional(
    Type.Array(
      Type.Object({
        resource_id: Type.String(),
        resource_name: Type.String(),
        resource_detail: Type.Null(),
        tags: Type.Array(TagReply),
      }),
      { description: 'not there when streams were only counted' },
    ),
  ),
  total_count: Type.Integer({ minimum: 0, description: 'all that fit, on whichever page' }),
});
