// SPDX-License-Identifier: MIT
//
// A control plane as a process of its own, on a port that the system chooses, with a home folder of its own.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { binDir, finished, pause, start } from './process.mjs';

const READY = /^MCP Drill control plane listening on http:\/\/127\.0\.0\.1:(\d+)$/m;

// Resolves when it listens, to {url, port, running, ask, stop}. Stopped at the end of test `t`.
export async function startServer(t, home, args = []) {
  const running = start(join(binDir, 'server'), ['--addr', ':0', ...args], {
    env: { HOME: home, XDG_DATA_HOME: '' },
    timeoutMs: 120_000,
  });
  const server = { running, port: await ready(running) };
  server.url = `http://127.0.0.1:${server.port}`;
  server.ask = (method, path, body) => ask(server.url, method, path, body);
  server.stop = async (signal = 'SIGTERM') => {
    if (!server.end) {
      running.child.kill(signal);
      server.end = finished(running, 'server');
    }
    return server.end;
  };
  t.after(async () => {
    const end = await server.stop();
    assert.equal(end.code, 0, `the server ends in order\n${end.stderr}`);
  });
  return server;
}

// The port of a control plane that was just started, once it listens.
export async function ready(running) {
  for (let waited = 0; waited < 20_000 && !READY.test(running.stdout); waited += 20) {
    assert.equal(running.child.exitCode, null, running.stderr);
    await pause(20);
  }
  return Number(running.stdout.match(READY)[1]);
}

// Resolves to {status, body}; the body is null when there is none.
export async function ask(url, method, path, body) {
  const answer = await fetch(url + path, {
    method,
    headers: body === undefined ? {} : { 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(10_000),
  });
  const text = await answer.text();
  return { status: answer.status, body: text === '' ? null : JSON.parse(text) };
}
