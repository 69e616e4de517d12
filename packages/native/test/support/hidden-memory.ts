/**
 * A command that the kernel hides no memory for (memfd_secret(2)), as an older one does: it may lock none, and root, who
 * may by a capability, hasn't that.
 */
export function withoutHiddenMemory(command: readonly string[]): [string, ...string[]] {
  const limited: [string, ...string[]] = ['sh', '-c', 'ulimit -l 0; exec "$@"', 'sh', ...command]
  return process.getuid?.() === 0 ? ['setpriv', '--bounding-set', '-ipc_lock', ...limited] : limited
}
