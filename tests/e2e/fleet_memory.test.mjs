// SPDX-License-Identifier: MIT
//
// The memory of a control plane grows neither with the length of a run nor with how often it is asked. What a run
// needs first (the history of its last minute, the cache of the store) fills up in the beginning, so a short run may
// grow a little each second; a long one, measured after that (MCPDRILL_SOAK_SECONDS=240), hardly at all.
import assert from 'node:assert/strict';
import test from 'node:test';
import { endOf, eventsOf, playRun, startPlane, startWorkers, viewOf } from './lib/fleet.mjs';
import { baseline, checkBooks } from './lib/mcpdrill.mjs';
import { startMock } from './lib/mock.mjs';
import { memoryOf, pause, sanitized } from './lib/process.mjs';

const mebibyte = 1024 * 1024;
const seconds = Number(process.env.MCPDRILL_SOAK_SECONDS ?? 10);
const isLong = seconds >= 180;
const warmUpMs = isLong ? 90_000 : seconds * 400;
const limit = (isLong ? 0.5 : (seconds - warmUpMs / 1000) * 0.2) * mebibyte;
const READERS_LIMIT = mebibyte;

const mib = (bytes) => (bytes / mebibyte).toFixed(2);

test(
  `a run of ${seconds} s, and a thousand readers of its events`,
  { skip: sanitized && 'sanitizers keep freed memory' },
  async (t) => {
    const mock = await startMock(t);
    const plane = await startPlane(t);
    await startWorkers(t, plane, 2);
    const id = await playRun(
      plane,
      baseline({ url: mock.url, vus: 20, ms: seconds * 1000, workload: { think_time: { mode: 'fixed', base_ms: 10 } } }),
    );
    await pause(warmUpMs);
    const first = memoryOf(plane.pid, 'VmRSS');
    for (let last = first; ; last = memoryOf(plane.pid, 'VmRSS')) {
      assert.ok(last - first <= limit, `it grew by ${mib(last - first)} MiB, from ${mib(first)} MiB, in mid-run`);
      if ((await viewOf(plane, id)).terminal) {
        break;
      }
      await pause(100);
    }
    const { result } = await endOf(plane, id);
    checkBooks(result);
    assert.ok(result.totals.operations_total > seconds * 500);
    // The result, once, is larger than what a run needs.
    await eventsOf(plane, id);
    const idle = memoryOf(plane.pid, 'VmRSS');
    for (let i = 0; i < 100; i++) {
      await Promise.all(Array.from({ length: 10 }, () => eventsOf(plane, id)));
    }
    const asked = memoryOf(plane.pid, 'VmRSS');
    assert.ok(asked - idle <= READERS_LIMIT, `it grew by ${mib(asked - idle)} MiB, from ${mib(idle)} MiB, by a thousand readers`);
    console.log(`# ${mib(first)} MiB in the beginning, ${mib(idle)} MiB after the run, ${mib(asked)} MiB after the readers`);
  },
);
