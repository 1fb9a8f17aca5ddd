/** An S3 service for tests: fauxqs in this process, on a free port, with everything in memory. It checks no signatures. */
import { startFauxqs } from 'fauxqs';
export async function startS3() {
    const server = await startFauxqs({ port: 0, host: '127.0.0.1', logger: false });
    return {
        endpoint: `http://127.0.0.1:${server.port}`,
        region: 'us-east-1',
        accessKey: 'test-access-key',
        secretKey: 'test-secret-key',
        createBucket(name) {
            server.createBucket(name);
        },
        close: () => server.stop(),
    };
}
//# sourceMappingURL=s3.js.map