/** Changes the states of several tasks of a stream, all in one transaction. Runs inside a change of the engine. */
import { setTaskStatus } from '../../catalog/dump-tasks.ts';
import { DomainError } from '../../model/errors.ts';
import type { Stream } from '../../model/stream.ts';
import type { DumpServices } from '../dump-services.ts';
import type { DumpTask } from './task-table.ts';
import { taskTransaction } from './task-transaction.ts';
import { statusesOf, type StatusRules } from './task-work.ts';

/** Resolves to the tasks whose status is another one now. Throws TaskNotFound for an id that is not one of the stream's. */
export async function changeStates(
  { catalog, dumpEngine }: DumpServices,
  stream: Stream,
  taskIds: readonly string[],
  decide: NonNullable<StatusRules['decide']>,
): Promise<DumpTask[]> {
  const notFound = (id: string) => new DomainError('TaskNotFound', [id.slice(0, 64), stream.name]);
  const tasks = new Set<DumpTask>();
  for (const id of taskIds) {
    const task = dumpEngine.task(id);
    if (task?.stream !== stream.number) throw notFound(id);
    tasks.add(task);
  }
  const parts = { catalog, cluster: dumpEngine.parts.cluster };
  const claim = { tasks: Array.from(tasks, ({ id }) => id), leases: [] };
  const changes = await taskTransaction(parts, claim, async (transaction, { tasks: locked }) => {
    for (const { id } of tasks) if (!locked.has(id)) throw notFound(id);
    const statuses = [...(await statusesOf(transaction, tasks, locked, { decide }))].filter(([{ id }, status]) => {
      const { state, draining } = locked.get(id)!;
      return state !== status.state || (draining === 1) !== status.draining;
    });
    for (const [{ id }, status] of statuses) await setTaskStatus(transaction, id, status);
    for (const [{ id }] of statuses) await dumpEngine.announce(transaction, id);
    return statuses;
  });
  for (const [task, status] of changes) Object.assign(task, status);
  return changes.map(([task]) => task);
}
