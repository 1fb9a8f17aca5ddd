/** Where the members of a consumer group are. */

export interface GroupParams {
  readonly projectId: string;
  readonly group: string;
}

export interface MemberParams extends GroupParams {
  readonly client: string;
}

export const GROUP_PATH = '/v2/:projectId/apps/:group/consumers';
export const MEMBER_PATH = `${GROUP_PATH}/:client`;
