// SPDX-License-Identifier: MIT
//
// Was the machine quiet while a test measured a time? Two signs say that it was not: others had a good part
// of a core (cores.mjs), or a timer of this process, which has little to do itself, fired late.
import { FOREIGN_CORES_MAX } from './cores.mjs';
import { foreignCores } from './process.mjs';

const BEAT_MS = 20;
const LATE_MS_MAX = 50;

// Begins to watch. The returned object has reason(): what disturbed so far, or null; stop(); and skips(t), which
// stops and, if something disturbed, marks the test `t` as skipped and returns true. What holds on any machine
// is asserted before that.
export function watchMachine() {
  const begin = performance.now();
  let worst = null;
  let beat = begin;

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
  };
  const timer = setInterval(look, BEAT_MS);
  timer.unref();

  const lookAtCores = () => {
    const cores = foreignCores.most(begin);
    note(cores / FOREIGN_CORES_MAX, `others used ${cores.toFixed(1)} cores (limit ${FOREIGN_CORES_MAX})`);
  };
  const reason = () => {
    lookAtCores();
    return worst && `the machine was not quiet: ${worst.text}`;
  };
  const stop = () => clearInterval(timer);
  return {
    reason,
    stop,
    skips: (t) => {
      stop();
      const why = reason();
      if (why) {
        t.skip(why);
      }
      return why !== null;
    },
  };
}
