// SPDX-License-Identifier: MIT
//
// Was the machine quiet while a test measured a time? Two signs say that it was not: others had a good part
// of a core, or a timer of this process, which has little to do itself, fired late. Both come from what every
// Linux has (/proc/stat and /proc/PID/stat); neither pressure files nor control groups are needed.
import { readFileSync } from 'node:fs';
import { livingPids } from './process.mjs';

const TICKS_PER_S = 100; // USER_HZ: in these units the kernel tells times, whatever its own tick is
const SPAN_MS = 500; // a shorter span has too few ticks to tell a neighbour from rounding
const BEAT_MS = 20;
const FOREIGN_CORES_MAX = 0.5;
const LATE_MS_MAX = 50;

// What all processes had of all cores, and what a hypervisor took away. Interrupts are left out: most of them
// are the network work of the processes under test.
function allTicks() {
  const [user, nice, system, , , , , steal] = readFileSync('/proc/stat', 'utf8')
    .match(/^cpu +(.*)$/m)[1]
    .split(' ')
    .map(Number);
  return user + nice + system + (steal ?? 0);
}

// utime and stime of a process, and with `waited` those of its children that have ended.
function ticksOf(pid, waited) {
  try {
    // The name stands in brackets and may contain spaces.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ').map(Number);
    return fields[11] + fields[12] + (waited ? fields[13] + fields[14] : 0);
  } catch {
    return 0;
  }
}

const ownTicks = () => livingPids().reduce((sum, pid) => sum + ticksOf(pid, true), ticksOf('self', true));

// Begins to watch. The returned object has reason(): what disturbed so far, or null; stop(); and skips(t), which
// stops and, if something disturbed, marks the test `t` as skipped and returns true. What holds on any machine
// is asserted before that.
export function watchMachine() {
  let worst = null;
  let last = { at: performance.now(), foreign: allTicks() - ownTicks() };
  let beat = last.at;

  const note = (badness, text) => {
    if (badness > 1 && badness > (worst?.badness ?? 0)) {
      worst = { badness, text };
    }
  };
  const look = () => {
    const at = performance.now();
    const late = at - beat - BEAT_MS;
    beat = at;
    note(late / LATE_MS_MAX, `a timer fired ${late.toFixed(0)} ms late (limit ${LATE_MS_MAX} ms)`);
    if (at - last.at >= SPAN_MS) {
      const foreign = allTicks() - ownTicks();
      const cores = (((foreign - last.foreign) / TICKS_PER_S) * 1000) / (at - last.at);
      last = { at, foreign };
      note(cores / FOREIGN_CORES_MAX, `others used ${cores.toFixed(1)} cores (limit ${FOREIGN_CORES_MAX})`);
    }
  };
  const timer = setInterval(look, BEAT_MS);
  timer.unref();

  const reason = () => worst && `the machine was not quiet: ${worst.text}`;
  const stop = () => clearInterval(timer);
  return {
    reason,
    stop,
    skips: (t) => {
      stop();
      if (worst) {
        t.skip(reason());
      }
      return worst !== null;
    },
  };
}
