/** A dump task as commands name it: `stream/task`, or the id of a task, which also finds a deleted one. */
import { isId } from '../model/ids.ts';
import { RemoteError } from './remote-error.ts';
import type { Remote } from './remote.ts';

export const TASK_ARGUMENT = '<task>';
export const TASK_HELP = 'stream/task, or the id of a task';

export interface NamedTask {
  readonly id: string;
  readonly stream: string;
  readonly name: string;
}

/** Throws RemoteError. */
export async function findTask(remote: Remote, text: string): Promise<NamedTask> {
  const slash = text.indexOf('/');
  if (slash !== -1) {
    const stream = text.slice(0, slash);
    const name = text.slice(slash + 1);
    const path = remote.path('streams', stream, 'transfer-tasks', name);
    if (stream !== '' && name !== '') return { id: (await remote.call<Shown>('GET', path)).task_id, stream, name };
  } else if (isId(text)) {
    const found = await remote.call<Shown>('GET', remote.path('transfer-tasks', text));
    return { id: found.task_id, stream: found.stream_name, name: found.task_name };
  }
  throw new RemoteError(`${text} is neither stream/task nor the id of a task`);
}

interface Shown {
  readonly task_id: string;
  readonly task_name: string;
  readonly stream_name: string;
}
