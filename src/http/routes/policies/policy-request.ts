/** From the body of a request about permission entries to what the use cases take. */
import type { StreamPolicy } from '../../../model/stream.ts';
import type { PolicyRequest } from '../../../streams/policies.ts';
import type { PolicyBody } from '../../schemas/policies.ts';

export interface PolicyParams {
  readonly projectId: string;
  readonly streamName: string;
}

/** `effect` is what an absent one means: the operations disagree about it. */
export function policyRequest(body: PolicyBody, effect: StreamPolicy['effect']): PolicyRequest {
  return {
    streamId: body.stream_id,
    principals: { names: body.principal_name ?? undefined, ids: body.principal_id ?? undefined },
    action: body.action_type,
    effect: body.effect || effect,
  };
}
