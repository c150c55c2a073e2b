// SPDX-License-Identifier: MIT
//
// A network of a test's own, where literal ports are free whatever else runs here: a network namespace of
// Linux, which needs root or a kernel that gives namespaces to everybody.
import { binDir, finished, pause, start } from './process.mjs';

const UP = 'loopback is up';
const entering = process.getuid() === 0 ? ['-n'] : ['-n', '-U', '--preserve-credentials'];

// Resolves to {own, start, get}: `own` is false where the machine gives no such network, and the machine's
// own one is used. `start(line)` runs a shell's line in the folder of the programs; `get(url)` reads JSON.
export async function startNetwork(t) {
  const prefix = (await holdNamespace(t)) ?? [];
  const startHere = (args, options) => {
    const [program, ...rest] = [...prefix, ...args];
    return start(program, rest, { cwd: binDir, ...options });
  };
  return {
    own: prefix.length > 0,
    start: (line, options = {}) => startHere(['sh', '-c', `exec ${line}`], options),
    get: async (url) => {
      const script = `fetch(${JSON.stringify(url)}).then((answer) => answer.text()).then(console.log)`;
      const end = await finished(startHere([process.execPath, '-e', script]), url);
      return JSON.parse(end.stdout);
    },
  };
}

// What a command has to begin with to be in a new network that ends with the test; null if there is none to be had.
async function holdNamespace(t) {
  const flags = process.getuid() === 0 ? ['-n'] : ['-n', '-r'];
  const script = `ip link set lo up && echo ${UP} && exec sleep 300`;
  const holder = start('unshare', [...flags, 'sh', '-c', script], { timeoutMs: 300_000 });
  let ended = false;
  const end = holder.ended.catch(() => null).then(() => (ended = true));
  t.after(async () => {
    holder.child.kill('SIGKILL');
    await end;
  });
  while (!holder.stdout.includes(UP)) {
    if (ended) {
      return null;
    }
    await pause(20);
  }
  return ['nsenter', '-t', String(holder.pid), ...entering];
}
