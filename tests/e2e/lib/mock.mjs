// SPDX-License-Identifier: MIT
//
// Our mock MCP server as a process of its own, on a port that the system chooses.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { binDir, finished, pause, start } from './process.mjs';

const READY = /mockserver listening on (http:\/\/\S+)/;

// Returns {url, pid, stats, reset, faults, stop}. Stopped at the end of test `t`.
export async function startMock(t, args = ['--seed', '1'], options = {}) {
  const running = start(join(binDir, 'mockserver'), ['--addr', '127.0.0.1:0', ...args], {
    timeoutMs: 300_000,
    ...options,
  });
  const mock = { pid: running.pid, running };
  mock.url = await readyUrl(running);
  mock.stats = () => getJson(`${mock.url}/stats`);
  mock.reset = () => post(`${mock.url}/stats/reset`, {});
  mock.faults = (faults) => post(`${mock.url}/faults`, faults);
  mock.stop = async () => {
    if (!mock.end) {
      running.child.kill('SIGTERM');
      mock.end = finished(running, 'mockserver');
    }
    return mock.end;
  };
  t.after(async () => {
    const end = await mock.stop();
    assert.equal(end.code, 0, `the mock server ends in order\n${end.stderr}`);
  });
  return mock;
}

async function readyUrl(running) {
  for (let waited = 0; waited < 10_000; waited += 20) {
    const match = running.stdout.match(READY);
    if (match) {
      return match[1].replace(/\/$/, '');
    }
    if (running.child.exitCode !== null) {
      break;
    }
    await pause(20);
  }
  running.child.kill('SIGKILL');
  throw new Error(`the mock server did not come up\n${running.stdout}\n${running.stderr}`);
}

export async function getJson(url) {
  const answer = await fetch(url, { signal: AbortSignal.timeout(5000) });
  assert.equal(answer.status, 200, url);
  return answer.json();
}

async function post(url, body) {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(5000),
  });
  assert.ok(answer.ok, `${url}: ${answer.status} ${await answer.text()}`);
}

// Returns the first statistics of which `holds` is true; fails, with `what` was waited for, if that takes 20 s.
export async function becomes(mock, what, holds) {
  let stats;
  for (let tries = 0; tries < 1000; tries++) {
    stats = await mock.stats();
    if (holds(stats)) {
      return stats;
    }
    await pause(20);
  }
  assert.fail(`waited in vain for ${what}: ${JSON.stringify(stats)}`);
}

// Returns when the load has begun: at least `count` calls of tools have reached the mock. How long a program
// takes to start is the machine's affair.
export async function callsBegan(mock, count = 1) {
  await becomes(mock, `${count} calls`, ({ requests }) => (requests['tools/call'] ?? 0) >= count);
}

// What the server saw once every connection to it is closed again; /stats itself holds one.
export async function settledStats(mock) {
  let stats = await mock.stats();
  for (let tries = 0; tries < 500 && stats.streams_open > 0; tries++) {
    await pause(20);
    stats = await mock.stats();
  }
  return stats;
}
