/** The thread that converts cuts. A few of them may be under way at a time, each over a port of its own. */
import { parentPort, type MessagePort } from 'node:worker_threads';
import { Gate } from '../../platform/gate.ts';
import { convertCut } from './convert-cut.ts';
import { MainThread } from './main-thread.ts';
import type { Begin, FromConverter } from './protocol.ts';

if (parentPort === null) throw new Error('this module runs as a worker thread only');

/**
 * One chunk at a time goes to libuv's threads, which the whole process shares and the disk needs too. All together that
 * is one for each converter beside the two of the main thread.
 */
const compressing = new Gate(1);

parentPort.on('message', ({ job, port }: Begin) => {
  const main = new MainThread(port);
  convertCut(job, main, main, compressing).then(
    (cut) => finish(port, { kind: 'done', cut }),
    (error: unknown) =>
      finish(port, { kind: 'failed', message: error instanceof Error ? error.message : String(error) }),
  );
});

function finish(port: MessagePort, last: FromConverter): void {
  port.postMessage(last);
  port.close();
}
