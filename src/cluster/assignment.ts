/**
 * Which node should hold which lease. Every node computes it by itself from the same names, so nobody has to decide: each
 * lease goes to the node that ranks highest for it (rendezvous hashing) and is not full yet. So nodes have the same number of
 * leases, give or take one, and when a node comes or goes little else moves.
 */

/** The node of each name. The order of names and nodes does not matter; both are distinct. */
export function assignLeases(names: readonly string[], nodes: readonly string[]): Map<string, string> {
  const assigned = new Map<string, string>();
  if (nodes.length === 0) return assigned;
  const seats = nodes.toSorted().map((node) => ({ node, hash: hashText(node), taken: 0 }));
  const capacity = Math.ceil(names.length / seats.length);
  // In an order that has nothing to do with the names: those of one task are not full together.
  const order = names.map((name) => ({ name, hash: hashText(name) }));
  order.sort((a, b) => a.hash - b.hash || (a.name < b.name ? -1 : 1));
  for (const { name, hash } of order) {
    let best: (typeof seats)[number] | undefined;
    let highest = -1;
    for (const seat of seats) {
      if (seat.taken >= capacity) continue;
      const rank = mix(hash ^ seat.hash);
      if (rank > highest) {
        highest = rank;
        best = seat;
      }
    }
    best!.taken += 1;
    assigned.set(name, best!.node);
  }
  return assigned;
}

/** FNV-1a, then mixed: names differ in their last characters alone. */
function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return mix(hash);
}

/** The last step of MurmurHash3: each bit of the number changes half of the bits of the result. 0 … 2^32 − 1. */
function mix(number: number): number {
  let hash = number;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
