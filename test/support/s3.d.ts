export interface TestS3 {
    /** URL of the service; buckets stand in the path. */
    readonly endpoint: string;
    readonly region: string;
    readonly accessKey: string;
    readonly secretKey: string;
    createBucket(name: string): void;
    close(): Promise<void>;
}
export declare function startS3(): Promise<TestS3>;
