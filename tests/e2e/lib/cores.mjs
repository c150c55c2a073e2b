// SPDX-License-Identifier: MIT
//
// Who used the cores: this test with all that it has started, or others? From what every Linux has
// (/proc/stat and /proc/PID); neither pressure files nor control groups are needed.
import { readFileSync } from 'node:fs';

const TICKS_PER_S = 100; // USER_HZ: in these units the kernel tells times, whatever its own tick is
const SPAN_MS = 500; // a shorter span has too few ticks to tell a neighbour from rounding
const SHORT_MS = 200; // but this will do for a run that is over sooner

// More than this of the cores in a span is a disturbance.
export const FOREIGN_CORES_MAX = 0.5;

// What all processes had of all cores, and what a hypervisor took away. Interrupts are left out: most of them
// are the network work of the processes under test.
function allTicks() {
  const [user, nice, system, , , , , steal] = readFileSync('/proc/stat', 'utf8')
    .match(/^cpu +(.*)$/m)[1]
    .split(' ')
    .map(Number);
  return user + nice + system + (steal ?? 0);
}

// What a process had, with those of its children that have ended; 0 when it is gone.
function ticksOf(pid) {
  try {
    // The name stands in brackets and may contain spaces.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ').map(Number);
    return fields[11] + fields[12] + fields[13] + fields[14];
  } catch {
    return 0;
  }
}

// None on a kernel that does not tell them (CONFIG_PROC_CHILDREN).
function childrenOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
  } catch {
    return [];
  }
}

const treeTicks = (pid) =>
  childrenOf(pid).reduce((sum, child) => sum + treeTicks(child), ticksOf(pid));

// What this process and `roots`, which it started, had, with all that those have started in their turn.
export const ownTicks = (roots) => roots.reduce((sum, pid) => sum + treeTicks(pid), ticksOf('self'));

// Watches while this process runs, which the watching does not prolong. The returned object has most(since):
// how many cores others had at most in a span that ended after the moment `since` (of performance.now()).
export function watchForeignCores(roots) {
  const spans = [];
  const foreign = () => allTicks() - ownTicks(roots());
  let last = { at: performance.now(), foreign: foreign() };

  const look = () => {
    const now = { at: performance.now(), foreign: foreign() };
    const cores = (((now.foreign - last.foreign) / TICKS_PER_S) * 1000) / (now.at - last.at);
    spans.push({ at: now.at, cores });
    last = now;
  };
  setInterval(look, SPAN_MS).unref();
  return {
    most: (since) => {
      if (performance.now() - last.at >= SHORT_MS) {
        look();
      }
      return Math.max(0, ...spans.filter(({ at }) => at > since).map(({ cores }) => cores));
    },
  };
}
