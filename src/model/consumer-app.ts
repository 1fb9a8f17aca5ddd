/** A consuming application: checkpoints belong to one, and a consumer group is one that has members. */
export interface ConsumerApp {
  /** 19 letters and digits. An app that is made again under an old name has another one. */
  readonly id: string;
  readonly projectId: string;
  /** Unique in its project. */
  readonly name: string;
  /** In ms. */
  readonly createdAt: number;
}
